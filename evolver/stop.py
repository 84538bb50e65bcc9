"""Why work is to end early, once somebody has said so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evolver.errors import EvolverError


class Stop:
    """A wish to stop, made by any thread at any time: before work begins, while it goes, or in its last steps.

    The first wish counts. Whoever works looks with :meth:`check` between steps, or listens with :meth:`heard_by`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: Callable[[EvolverError], None] | None = None
        self._error: EvolverError | None = None

    @property
    def error(self) -> EvolverError | None:
        """What the work is to raise; ``None`` while nobody wants it to stop."""
        return self._error

    def request(self, error: EvolverError) -> None:
        """Wish that the work stops, raising ``error``."""
        with self._lock:
            self._error = self._error or error
            listener = self._listener
        if listener is not None:
            listener(error)

    def check(self) -> None:
        """Raise the error of the wish, if there is one.

        Raises:
            EvolverError: Whatever was given to :meth:`request`.
        """
        if self._error is not None:
            raise self._error

    @contextmanager
    def heard_by(self, listener: Callable[[EvolverError], None]) -> Iterator[None]:
        """Tell ``listener`` of a wish made while the block runs, on the thread that makes it.

        Raises:
            EvolverError: The wish was made before.
        """
        with self._lock:
            self._listener = listener
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._listener = None

    def forget(self) -> None:
        """Let the next work go on: a stop is for one session."""
        self._error = None
