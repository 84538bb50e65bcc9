"""A run: hand out what is ready, keep the slots busy, write what comes back, stop cleanly.

There is no barrier between epochs and no batch: a lineage whose attempt is written is ready for its next one at
once. Attempts are opened ahead of the slots, up to a window, so that each freed slot goes to the lineage with the
most calls left.
"""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass

from evolver.calls.batch.batcher import Batcher
from evolver.calls.gate import Gate
from evolver.calls.ledger import Ledger
from evolver.calls.limits import SlotsClosedError
from evolver.events import AttemptEnded, Listener, SeedAnswered, Stopping
from evolver.scheduler.answers import answer_seed
from evolver.scheduler.attempt import Method, attempt
from evolver.scheduler.frontier import Frontier, Job
from evolver_store.runs import seed_of

_CHUNK = 64  # texts read from the store at a time
_LEAST_WINDOW = 2_048  # attempts open at a time: enough to know which call should get a slot, small in memory
_LOCAL_WINDOW = 256  # a local model answers at once, so nothing is gained by opening more


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run works with.

    With a ``batcher``, ``window`` attempts are open at a time: as many as may share a batch.
    """

    frontier: Frontier
    method: Method
    ledger: Ledger
    gate: Gate
    listener: Listener
    unanswered: array[int]
    local: bool = False
    batcher: Batcher | None = None
    window: int | None = None


class EvolutionRun:
    """One session of a run, from the first ready lineage to the last, or to a stop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._open = 0
        self._window = parts.window or (
            _LOCAL_WINDOW if parts.local else max(_LEAST_WINDOW, 4 * parts.gate.limit)
        )
        self._changed = asyncio.Event()
        self._error: BaseException | None = None

    async def run(self) -> None:
        """Work until nothing is left, or until a stop; either way, what was answered is on its way to the store.

        Raises:
            EvolverError: Why the run stopped with work left; or whatever a model of the user's own raised.
        """
        async with asyncio.TaskGroup() as group:
            try:
                await self._hand_out(group)
            except Exception as error:  # noqa: BLE001 - raised below, once the calls in flight are written
                self.stop(error)
        if self._error is not None:
            raise self._error

    async def _hand_out(self, group: asyncio.TaskGroup) -> None:
        """Open attempts as room and the frontier allow, until nothing is left or the run is stopped."""
        while self._error is None:
            if not await self._open_some(group):
                if not self._open:
                    return
                self._changed.clear()
                await self._rest()

    def stop(self, error: BaseException) -> None:
        """Start no more calls; those in flight are finished and written. ``run`` then raises ``error``."""
        if self._error is None:
            self._error = error
            self._parts.gate.close()
            if self._parts.batcher is not None:
                self._parts.batcher.close()
            self._parts.listener(Stopping(str(error), self._parts.gate.in_flight))
            self._changed.set()

    async def _rest(self) -> None:
        """Wait for a change; meanwhile, whoever asks in batches may take it that no further attempt is opened."""
        batcher = self._parts.batcher
        if batcher is None:
            await self._changed.wait()
            return
        batcher.rest(self._open)
        await self._changed.wait()
        batcher.rest(None)

    async def _open_some(self, group: asyncio.TaskGroup) -> bool:
        """Open up to a chunk of attempts; return whether there was one to open."""
        free = self._window - self._open
        if free < min(_CHUNK, self._window, len(self._parts.frontier)):
            return False
        jobs = self._parts.frontier.take(min(_CHUNK, free))
        if not jobs:
            return self._open_answer(group)
        self._open += len(jobs)
        texts = await self._parts.ledger.texts(list({job.parent_id for job in jobs}))
        for job in jobs:
            group.create_task(self._attempt(job, texts[job.parent_id]))
        return True

    def _open_answer(self, group: asyncio.TaskGroup) -> bool:
        if not self._parts.unanswered or self._open >= self._window:
            return False
        self._open += 1
        group.create_task(self._answer(self._parts.unanswered.pop()))
        return True

    async def _attempt(self, job: Job, parent: str) -> None:
        parts = self._parts
        try:
            await parts.ledger.room()
            row = await attempt(job, parent, parts.method)
            parts.ledger.record(row)
            parts.frontier.put_back(job, survived=row["status"] == "survivor")
            parts.listener(AttemptEnded(job.id, job.epoch, row["mutator"], row["status"], row["rule"]))
        except SlotsClosedError:
            pass  # the run is stopping: this attempt is made again next time, its paid calls served from the store
        except Exception as error:  # noqa: BLE001 - run() raises it, once the calls in flight are written
            self.stop(error)
        finally:
            self._close_one()

    async def _answer(self, id_: int) -> None:
        parts = self._parts
        try:
            await parts.ledger.room()
            seed = await parts.ledger.read(lambda conn: seed_of(conn, id_))
            row = await answer_seed(id_, *seed, parts.method)
            parts.ledger.answer_seed(row)
            parts.listener(SeedAnswered(id_, dropped="answer_dropped" in (row["details"] or {})))
        except SlotsClosedError:
            pass
        except Exception as error:  # noqa: BLE001 - run() raises it, once the calls in flight are written
            self.stop(error)
        finally:
            self._close_one()

    def _close_one(self) -> None:
        self._open -= 1
        self._changed.set()
