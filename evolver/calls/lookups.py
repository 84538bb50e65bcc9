"""Paid calls read back from the store: those that are wanted at one moment in one query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

_MOST = 500  # keys a query: below every database's limit of bound values

Rows = Mapping[str, Mapping[str, Any]]
Read = Callable[[Sequence[str]], Awaitable[Rows]]


class Lookups:
    """Looks calls up by their keys.

    What is wanted while a query is under way waits for the next one, and all of it goes into that: 64 attempts that go
    on at the same moment cost one or two round trips, not 64.

    Args:
        read: Returns those of the calls that the store holds, by key.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._wanted: dict[str, list[asyncio.Future[Mapping[str, Any] | None]]] = {}
        self._working: asyncio.Task[None] | None = None

    async def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the call of that key, or ``None`` where the store holds none.

        Raises:
            StoreError: The store cannot be read.
        """
        found: asyncio.Future[Mapping[str, Any] | None] = asyncio.get_running_loop().create_future()
        self._wanted.setdefault(key, []).append(found)
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await found

    async def idle(self) -> None:
        """Wait while anything is being looked up, what follows from an answer at once included."""
        while self._working is not None:
            await asyncio.wait([self._working])

    async def _work(self) -> None:
        try:
            while self._wanted:
                keys = list(self._wanted)[:_MOST]
                waiting = {key: self._wanted.pop(key) for key in keys}
                await self._answer(waiting)
        finally:
            self._working = None

    async def _answer(self, waiting: Mapping[str, list[asyncio.Future[Mapping[str, Any] | None]]]) -> None:
        rows: Rows = {}
        error: BaseException | None = None
        try:
            rows = await self._read(list(waiting))
        except BaseException as problem:
            error = problem
            if not isinstance(problem, Exception):
                raise
        finally:
            for key, futures in waiting.items():
                for future in futures:
                    if future.done():
                        continue
                    if error is not None:
                        future.set_exception(error)
                    else:
                        future.set_result(rows.get(key))
