"""The store as the event loop sees it: nothing here waits for the disk but in a thread."""

from __future__ import annotations

import asyncio
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from evolver.calls.lookups import Lookups
from evolver.calls.turns import Turns
from evolver.errors import RowModelError
from evolver_store.claim import Claim
from evolver_store.key_locks import KeyLocks, NoKeyLocks
from evolver_store.link import once
from evolver_store.runs import call_keys, calls_of, texts_of
from evolver_store.saying import stated
from evolver_store.storable import why_unstorable
from evolver_store.writer import Row, Writer

_T = TypeVar("_T")
_READERS = 3  # queries at a time: most of what a run reads before its first call is done inside the database
_MOST_PENDING = 2_000  # rows on their way to the disk; above it, attempts wait for the writer


class KnownKeys:
    """The keys of the calls a store held when it was opened, 8 bytes each.

    A key that is not here needs no look-up: on a fresh store, none does.
    """

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        """Take the first 8 bytes of each key, any number of keys in each of ``keys``."""
        unsorted = array("Q")
        for some in keys:
            unsorted.frombytes(some)
        if sys.byteorder == "little":
            unsorted.byteswap()
        self._prefixes = array("Q", sorted(unsorted))

    def __contains__(self, key: str) -> bool:
        """Tell whether the store may hold ``key``; a false yes (one in 10^13) costs one look-up."""
        prefix = int(key[:16], 16)
        at = bisect_left(self._prefixes, prefix)
        return at < len(self._prefixes) and self._prefixes[at] == prefix


class Ledger:
    """Rows to the writer, texts and paid calls back; make it inside the event loop, and close it.

    Args:
        engine: A store opened for writing.
        claim: What keeps the run for this process, renewed with a lost connection.
        locks: Tell who asks for which call among the runs that work on the store now; without them it is this run.
    """

    def __init__(self, engine: Engine, claim: Claim | None = None, locks: KeyLocks | None = None) -> None:
        self._engine = engine
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._writer = Writer(engine, self._wake, claim)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="evolver-reader")
        self._known = KnownKeys()
        self._expected: set[str] = set()
        self._lookups = Lookups(lambda keys: self.read(lambda conn: calls_of(conn, keys)))
        self._turns = Turns(
            locks or NoKeyLocks(), self.find, lambda key: self._writer.call(key) is not None, self._learn
        )

    async def learn_calls(self) -> None:
        """Take note of the calls that the store holds, and of who else works on it."""
        await self._turns.begin()  # first: what is paid for from here on may not be among the keys
        await self._learn()

    async def _learn(self) -> None:
        self._known = await self.read(lambda conn: KnownKeys(call_keys(conn)))

    def expect(self, keys: Iterable[str]) -> None:
        """Take note of calls that may come into the store before anybody asks for them."""
        self._expected.update(keys)

    async def write(self, action: Callable[[Connection], _T]) -> _T:
        """Let the writer do ``action`` after the rows put before; return its result once it is committed.

        Raises:
            StoreError: It could not be written.
        """
        return await asyncio.wrap_future(self._writer.put_action(action))

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run a query in a reader's thread."""

        def work() -> _T:
            with stated("the store cannot be read", "the run stopped, what was written is safe."):
                # Reading never waits for the writer; where a server restarts, it is asked again.
                return once(self._engine, query, only_reads=True)

        return await self._loop.run_in_executor(self._readers, work)

    async def texts(self, ids: list[int]) -> dict[int, str]:
        """Return instructions by id, whether or not they are committed yet."""
        texts = {id_: text for id_ in ids if (text := self._writer.text(id_)) is not None}
        missing = [id_ for id_ in ids if id_ not in texts]
        if missing:
            texts |= await self.read(lambda conn: texts_of(conn, missing))
        return texts

    @property
    def shared(self) -> bool:
        """Whether another process works on the store now: any call may be in it the next moment."""
        return self._turns.shared

    async def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the call of that key if it was paid for before."""
        waiting = self._writer.call(key)
        if waiting is not None:
            return waiting
        if key not in self._known and key not in self._expected and not self.shared:
            return None
        return await self._lookups.find(key)

    async def idle(self) -> None:
        """Wait while calls are being looked up."""
        await self._lookups.idle()

    async def enter(self, key: str) -> bool:
        """Begin to ask for a call; see :meth:`Turns.enter`."""
        return await self._turns.enter(key)

    def leave(self, key: str) -> None:
        """Have done with a call that was entered."""
        self._turns.leave(key)

    async def answer(self, key: str) -> Mapping[str, Any] | None:
        """Wait while another asks for a call; see :meth:`Turns.answer`."""
        self.expect([key])
        return await self._turns.answer(key)

    def close(self) -> None:
        """Send everybody away who waits for what another asks."""
        self._turns.close()

    def keep(self, row: Row) -> None:
        """Store a completed call; on disk within 50 ms.

        Raises:
            RowModelError: No database can hold it.
        """
        why = why_unstorable(row)
        if why is not None:
            raise RowModelError(f"the call cannot be stored: its {why}", "unstorable")
        self._writer.put_call(row)

    def record(self, row: Row, *, again: bool = False) -> None:
        """Store a finished attempt; ``again`` says that it takes the place of one that failed."""
        self._writer.put_instruction(row, again=again)

    def answer_seed(self, row: Row) -> None:
        """Store the model's answer to a seed."""
        self._writer.put_seed_answer(row)

    async def room(self) -> None:
        """Wait while too many rows are on their way to the disk."""
        while self._writer.pending > _MOST_PENDING and self._writer.error is None:
            self._room.clear()
            if self._writer.error is None:  # or nobody would ever set it again
                await self._room.wait()

    async def aclose(self) -> None:
        """Write what is left, and end all threads.

        Raises:
            StoreError: Something could not be written.
        """
        try:
            try:
                await self._turns.end()
            finally:
                await self._loop.run_in_executor(self._readers, self._writer.close)
        finally:
            try:
                await self._turns.give_back()
            finally:
                self._readers.shutdown()

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._committed)

    def _committed(self) -> None:
        self._room.set()
        self._turns.committed()
