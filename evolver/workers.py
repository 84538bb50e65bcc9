"""The workers of a session: they take jobs as they become ready, keep a window of them open, and stop cleanly.

There is no barrier and no batch of jobs: a job that is done makes way for the next one at once. Jobs are opened ahead
of the slots, up to a window, so that each freed slot goes to the call with the most calls left behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from evolver.calls.limits import SlotsClosedError
from evolver.session import Session

_CHUNK = 64  # jobs taken at a time: their texts are read from the store together
_LEAST_WINDOW = 2_048  # jobs open at a time: enough to know which call should get a slot, small in memory
_LOCAL_WINDOW = 256  # a local model answers at once, so nothing is gained by opening more

J = TypeVar("J")


class Jobs(Protocol[J]):
    """Work of one kind.

    ``take`` and ``put_back`` are called on the event loop and must return soon; ``do`` asks models, and is what a
    window of jobs does side by side.
    """

    def __len__(self) -> int:
        """How many jobs are ready now; more may become so when others are done."""
        ...

    async def take(self, most: int) -> Sequence[J]:
        """Hand out up to ``most`` jobs that are ready, the most urgent first; none where none is."""
        ...

    async def do(self, job: J) -> Any:
        """Do a job, hand what comes of it to the session's ledger, and return it.

        Raises:
            SlotsClosedError: The session is stopping; the job is done again next time.
            Exception: The session is to stop.
        """
        ...

    def put_back(self, job: J, outcome: Any) -> None:
        """Take note that a job is done, with what ``do`` returned: another one may be ready now."""
        ...


class Workers(Generic[J]):
    """Works through jobs until none is left or the session stops.

    Args:
        session: What they stand on.
        kinds: The jobs, by kind; those of an earlier kind come first as long as one of it is ready.
        window: How many are open at a time; by default enough for the slots and for one another.
    """

    def __init__(self, session: Session, *kinds: Jobs[Any], window: int | None = None) -> None:
        self._session = session
        self._kinds = kinds
        least = _LOCAL_WINDOW if session.local else max(_LEAST_WINDOW, 4 * session.common.gate.limit)
        self._window = window or least
        self._open = 0
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Work until nothing is left; in a stop, until what was in flight is on its way to the store.

        Raises:
            EvolverError: Why the session stopped with work left.
            Exception: Whatever a model or a job raised.
        """
        await self._session.learn()
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._wake_at_stop())
            try:
                await self._hand_out(group)
            except Exception as error:  # noqa: BLE001 - raised below, once the calls in flight are written
                self._session.stop(error)
            watch.cancel()
        if self._session.error is not None:
            raise self._session.error

    async def _wake_at_stop(self) -> None:
        await self._session.stopping.wait()
        self._changed.set()

    async def _hand_out(self, group: asyncio.TaskGroup) -> None:
        """Open jobs as the window and the kinds allow, until nothing is left or the session stops."""
        while self._session.error is None:
            if not await self._open_some(group):
                if not self._open:
                    return
                self._changed.clear()
                await self._rest()

    async def _rest(self) -> None:
        """Wait for a change; meanwhile, whoever asks in batches may take it that no further job is opened."""
        batcher = self._session.batcher
        if batcher is None:
            await self._changed.wait()
            return
        batcher.rest(self._open)
        await self._changed.wait()
        batcher.rest(None)

    async def _open_some(self, group: asyncio.TaskGroup) -> bool:
        """Open up to a chunk of jobs of one kind; return whether there was one to open."""
        free = self._window - self._open
        for jobs in self._kinds:
            if free < min(_CHUNK, self._window, len(jobs)):
                return False
            taken = await jobs.take(min(_CHUNK, free))
            self._open += len(taken)
            for job in taken:
                group.create_task(self._do(jobs, job))
            if taken:
                return True
        return False

    async def _do(self, jobs: Jobs[J], job: J) -> None:
        try:
            await self._session.ledger.room()
            jobs.put_back(job, await jobs.do(job))
        except SlotsClosedError:
            pass  # the session is stopping: the job is done again next time, its paid calls served from the store
        except Exception as error:  # noqa: BLE001 - run() raises it, once the calls in flight are written
            self._session.stop(error)
        finally:
            self._open -= 1
            self._changed.set()
