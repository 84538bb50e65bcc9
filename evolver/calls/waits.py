"""How long to wait before a call is tried again, and which waits are too long."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from evolver.errors import RunModelError

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds of back-off, doubled from try to try
_WORTH_TELLING = 60.0
_TIMEOUTS = 10
_FOR_GOOD = 366 * 86400.0  # seconds; no clock of theirs means it, and no calendar of ours may hold it


def back_off_s(tried: int, retry_after: float | None) -> float:
    """Return the seconds to wait after the ``tried``-th failure.

    A Retry-After is the wait; without one it doubles from try to try, with jitter, so that calls that failed together
    do not come back together.
    """
    if retry_after is not None:
        return retry_after
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tried - 1, 16))
    return random.uniform(longest / 2, longest)


def check_wait(retry_after: float | None, timeout: float, who: str, tell: Callable[[str], None]) -> None:
    """Tell of a wait of a minute or more that a provider asks for.

    Raises:
        RunModelError: It asks for more than ten times the time limit of a call.
    """
    if retry_after is None or retry_after < _WORTH_TELLING:
        return
    if retry_after > _FOR_GOOD:
        asks = f"{who} asks to wait for more than a year"
    else:
        until = f"{datetime.now().astimezone() + timedelta(seconds=retry_after):%Y-%m-%d %H:%M}"
        asks = f"{who} asks to wait {_in_words(retry_after)}, until {until}"
    if retry_after > _TIMEOUTS * timeout:
        raise RunModelError(
            f"{asks}; the run stopped, and what is finished is stored. Run the same command again then."
        )
    tell(f"{asks}; calls go on after that. Ctrl-C stops the run, resumable.")


def _in_words(seconds: float) -> str:
    for unit, name in ((3600.0, "h"), (60.0, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.0f} s"
