"""Who asks for a call, where several runs over one store need the same one: the others wait for the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from evolver.calls.limits import SlotsClosedError
from evolver_store.errors import StoreError
from evolver_store.key_locks import KeyLocks

_LOOK_EVERY = 0.5  # seconds between looks at who else works on the store
_PATIENCE = 5.0  # seconds that a run which comes later waits for the first one to share the keys
_ASK_EVERY, _SLOWEST, _SLOWER = 0.02, 0.5, 1.5  # seconds between looks for an answer, and how they grow

_Row = Mapping[str, Any]
_T = TypeVar("_T")


class Turns:
    """The calls that this run makes now, and those that it leaves to the runs beside it.

    As long as a run is alone it holds the lock of all keys together, and a call takes no lock of its own; within half a
    second of seeing another run it locks what it has in flight and shares the rest. For one event loop; whatever waits
    for a server or a folder is done in a thread.

    Args:
        locks: The keys, as locked among all runs of the store.
        find: Returns a call from the store, or ``None``.
        unwritten: Tells whether a call of this run is on its way to the store.
        left: Called when the others have gone: learns what they have left in the store.
    """

    def __init__(
        self,
        locks: KeyLocks,
        find: Callable[[str], Awaitable[_Row | None]],
        unwritten: Callable[[str], bool],
        left: Callable[[], Awaitable[None]],
    ) -> None:
        self._locks = locks
        self._find = find
        self._unwritten = unwritten
        self._left = left
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evolver-turns")
        self._mine: set[str] = set()
        self._locked: set[str] = set()
        self._leaving: set[str] = set()
        self._wanted: dict[str, asyncio.Future[bool]] = {}
        self._awaited: dict[str, asyncio.Future[_Row | None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = asyncio.Event()
        self._begun = False
        self.shared = False

    async def begin(self) -> None:
        """Find out who else works on the store, and go on looking; where somebody does, wait for him to know of us.

        Raises:
            StoreError: Nobody can tell.
        """
        self._begun = True
        # In this order: of two runs that begin together, at least one sees the other.
        self.shared = not await self._in_thread(self._locks.take_all)
        await self.look()
        if self.shared:
            await self._admitted()
        self._tasks["watch"] = asyncio.create_task(self._watch())

    async def look(self) -> None:
        """See whether others have come or gone.

        Raises:
            StoreError: Nobody can tell.
        """
        others = await self._in_thread(self._locks.others)
        if others and not self.shared:
            await self._share()
        elif self.shared and not others and await self._in_thread(self._locks.take_all):
            if await self._in_thread(self._locks.others):  # came in the same moment
                await self._in_thread(self._locks.give_all)
                return
            self.shared = False
            await self._left()

    async def enter(self, key: str) -> bool:
        """Begin to ask for a call, and :meth:`leave` it in any case; false where somebody asks for it already.

        Raises:
            StoreError: Nobody can tell.
        """
        if key in self._mine:
            return False
        self._mine.add(key)
        if not self.shared:
            return True
        got = False
        try:
            got = await self._take(key)
        finally:
            if not got:
                self._mine.discard(key)
        return got

    def leave(self, key: str) -> None:
        """Have done with a call: others may ask for it once its answer, if there is one, is in the store."""
        if self._unwritten(key):
            self._leaving.add(key)
        else:
            self._let_go({key})

    def committed(self) -> None:
        """Let go of the calls whose answers have come into the store."""
        if gone := {key for key in self._leaving if not self._unwritten(key)}:
            self._leaving -= gone
            self._let_go(gone)

    def _let_go(self, gone: set[str]) -> None:
        self._mine -= gone
        locked = gone & self._locked
        if locked and self._begun:
            self._locked -= locked
            self._thread.submit(self._locks.free, locked)

    async def answer(self, key: str) -> _Row | None:
        """Wait while another asks for a call; return its answer, or ``None`` when it has none and asks no more.

        Raises:
            SlotsClosedError: The run is stopping.
            StoreError: The store cannot be read.
        """
        if self._closed.is_set():
            raise SlotsClosedError
        future = self._awaited.setdefault(key, asyncio.get_running_loop().create_future())
        self._start("await", self._wait_for_answers)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Send everybody away who waits: the run is stopping."""
        self._closed.set()
        self._settle_all(SlotsClosedError())

    async def end(self) -> None:
        """Look no more, and send everybody away who waits."""
        self.close()
        for task in list(self._tasks.values()):
            await task

    async def give_back(self) -> None:
        """Let go of every call, once all that this run asked for is written."""
        if self._begun:
            await self._in_thread(self._locks.close)
        self._begun = False
        self._thread.shutdown()

    async def _share(self) -> None:
        """Lock what is in flight, then let go of the rest."""
        self.shared = True  # from here on each call takes its own lock, and does so after these
        self._locked |= self._mine
        await self._in_thread(self._locks.take, set(self._mine))
        await self._in_thread(self._locks.give_all)

    async def _admitted(self) -> None:
        """Wait until nobody holds all keys together; one that is stopped or stuck is waited for some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while await self._in_thread(self._locks.all_taken) and not await self._closes_within(
                    _ASK_EVERY
                ):
                    pass

    async def _watch(self) -> None:
        while not await self._closes_within(_LOOK_EVERY):
            with contextlib.suppress(StoreError):  # whoever reads or writes will say so
                await self.look()

    async def _take(self, key: str) -> bool:
        """Take a key together with all that are wanted at the same moment."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wanted[key] = future
        self._start("take", self._take_wanted)
        return await future

    async def _take_wanted(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted, {}
            try:
                got = await self._in_thread(self._locks.take, wanted.keys())
            except Exception as error:  # noqa: BLE001 - told to everybody who waits
                for future in wanted.values():
                    if not future.done():
                        future.set_exception(error)
                continue
            self._locked |= got
            for key, future in wanted.items():
                if not future.done():
                    future.set_result(key in got)
                elif key in got:
                    self._mine.add(key)  # nobody waits for it any more
                    self.leave(key)

    async def _wait_for_answers(self) -> None:
        wait = _ASK_EVERY
        while self._awaited and not await self._closes_within(wait):
            try:
                news = await self._look_for_answers()
            except Exception as error:  # noqa: BLE001 - told to everybody who waits
                self._settle_all(error)
                return
            wait = _ASK_EVERY if news else min(_SLOWEST, wait * _SLOWER)

    async def _look_for_answers(self) -> bool:
        """Look once for whatever is waited for; return whether anything came of it."""
        keys = list(self._awaited)
        free = await self._in_thread(self._free_of, [key for key in keys if key not in self._mine])
        # After the locks: an answer is in the store before its lock is free.
        rows = await asyncio.gather(*map(self._find, keys))
        for key, row in zip(keys, rows, strict=True):
            if (row is not None or key in free) and (future := self._awaited.pop(key, None)) is not None:
                future.set_result(row)
        return len(self._awaited) < len(keys)

    def _free_of(self, keys: list[str]) -> set[str]:
        free = self._locks.take(keys)
        self._locks.free(free)
        return free

    def _settle_all(self, error: Exception) -> None:
        awaited, self._awaited = self._awaited, {}
        for future in awaited.values():
            future.set_exception(error)
            future.exception()  # whoever waited for it may be gone

    async def _closes_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)
        return self._closed.is_set()

    def _start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = self._tasks.get(name)
        if task is None or task.done():
            self._tasks[name] = asyncio.ensure_future(work())

    async def _in_thread(self, work: Callable[..., _T], *args: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)
