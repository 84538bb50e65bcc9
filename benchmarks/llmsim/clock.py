"""The provider's clock, which need not agree with anybody else's: ``Date`` headers, and times of batches."""

from __future__ import annotations

import time
from email.utils import formatdate


class Clock:
    """Tells the time, so many seconds ahead of this machine's (behind it, where negative)."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._second = 0
        self._header = b""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time() + self.ahead

    def header(self) -> bytes:
        """Return the line of a response's head that says when it was made."""
        second = int(self.now())
        if second != self._second:
            self._second = second
            self._header = b"date: %b\r\n" % formatdate(second, usegmt=True).encode()
        return self._header
