"""Try again what concerns a whole batch, and may have succeeded although it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from evolver.calls.events import CallEvent, CallRetried
from evolver.calls.limits import SlotsClosedError
from evolver.calls.waits import back_off_s
from evolver.errors import RunModelError, TransientModelError

_T = TypeVar("_T")
_MOST_TRIES = 8


class Retrying:
    """Tries again what failed for a passing cause, until somebody closes it."""

    def __init__(self, report: Callable[[CallEvent], None]) -> None:
        self._report = report
        self._closed = asyncio.Event()

    @property
    def closed(self) -> bool:
        """Whether the run is stopping."""
        return self._closed.is_set()

    def close(self) -> None:
        """Try nothing again."""
        self._closed.set()

    async def on(self, work: Callable[[int], Awaitable[_T]]) -> _T:
        """Do ``work``, which is told how often it has failed, until it succeeds.

        Raises:
            RunModelError: It failed again and again.
            SlotsClosedError: It failed, and the run is stopping.
        """
        tried = 0
        while True:
            try:
                return await work(tried)
            except TransientModelError as error:
                self._report(CallRetried(error.kind))
                tried += 1
                if tried >= _MOST_TRIES:
                    raise RunModelError(
                        f"a batch could not be submitted or found in {tried} tries, the last time: {error}; the run "
                        "stopped, and nothing is lost. Run the same command again later."
                    ) from error
                await self._pause(tried, error.retry_after)

    async def _pause(self, tried: int, retry_after: float | None) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), back_off_s(tried, retry_after))
            raise SlotsClosedError
