"""Batches in flight: look at them, collect those that ended, find those whose submission was never confirmed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import cast

from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.store import Asked, Batch, BatchStore
from evolver.calls.batch.waiting import BatchItem, ModelQueue, Waiting
from evolver.calls.budget import Reservation
from evolver.calls.events import BatchProgress, CallEvent, CallRetried
from evolver.calls.key import Origin
from evolver.calls.rows import ROWS_OWN
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.batch.protocol import BatchState, Outcome, Sent
from evolver.models.protocol import Completion, Purpose

MOST_TRIES = 4  # batches in which a request may fail before it is given up
_FIRST_LOOK, _LAST_LOOK, _SLOWER = 5.0, 60.0, 1.5  # seconds between looks, and how they grow
_LONGEST_SILENCE = 900.0  # seconds without a single answer from the provider
_TOO_MUCH_ENQUEUED = "token_limit_exceeded"
_ROOM_EVERY = 100
_REPLIES = frozenset({"server_error", "malformed"})  # failures that a server in order may make of a request
QueueKey = tuple[str, str | None, str]


@dataclass(slots=True)
class OpenBatch:
    """A batch that a provider has, and the requests of it that have no answer yet."""

    batch: Batch
    queue: ModelQueue
    left: dict[str, Asked]
    provider_id: str
    hold: Reservation
    succeeded: int = 0
    failed: int = 0

    @property
    def age(self) -> float:
        """Seconds since it was submitted."""
        since = self.batch.submitted_at or self.batch.created_at
        return max(0.0, (datetime.now(UTC) - since).total_seconds())


class OpenBatches:
    """The open batches of a session.

    Args:
        store: Where batches are noted.
        waiting: Who waits for what.
        report: Told how far the batches are.
        retrying: How long to try.
        every: Seconds between looks; ``None`` begins with 5 and goes up to 60.
    """

    def __init__(
        self,
        store: BatchStore,
        waiting: Waiting,
        report: Callable[[CallEvent], None],
        retrying: Retrying,
        every: float | None,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._report = report
        self._retrying = retrying
        self._first, self._last = (_FIRST_LOOK, _LAST_LOOK) if every is None else (every, every)
        self._open: dict[str, OpenBatch] = {}
        self._in_flight: set[str] = set()
        self._foreign: set[str] = set()
        self._news = asyncio.Event()
        self._collecting = asyncio.Lock()
        self._heard = time.monotonic()

    def __contains__(self, key: str) -> bool:
        """Tell whether a call is in flight."""
        return key in self._in_flight

    def __iter__(self) -> Iterator[OpenBatch]:
        """Go through the open batches, oldest first."""
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        """How many batches are open."""
        return len(self._open)

    def add(self, entry: OpenBatch) -> None:
        """Take in a batch that the provider has."""
        self._open[entry.batch.key] = entry
        self._in_flight.update(entry.left)
        entry.queue.in_flight += len(entry.left)
        self._news.set()

    async def adopt(self, queues: Mapping[QueueKey, ModelQueue]) -> None:
        """Take up the batches that earlier sessions of the run left in flight, with what was set aside for them.

        Raises:
            ModelError: The provider could not be asked about one whose submission was never confirmed.
        """
        for batch in await self._store.in_flight():
            queue = queues.get((batch.provider, batch.base_url, batch.model))
            if queue is None:
                continue
            left = {each.key: each for each in await self._store.unanswered(batch)}
            await self._resume(batch, queue, left)
        self._tell()

    async def _resume(self, batch: Batch, queue: ModelQueue, left: dict[str, Asked]) -> None:
        """Find an intended batch at the provider, or forget it: its requests are then submitted anew."""
        provider_id = batch.provider_id
        if provider_id is None:
            provider_id = await self._find(batch, queue, left) if left else None
            if provider_id is None:
                await self._store.forget(batch)
                return
            await self._store.submitted(batch, provider_id)
        share = len(left) / max(1, batch.requests)
        hold = queue.asker.common.budget.hold((batch.reserved_usd or 0.0) * share, len(left))
        self.add(OpenBatch(batch, queue, left, provider_id, hold))

    async def _find(self, batch: Batch, queue: ModelQueue, calls: Mapping[str, Asked]) -> str | None:
        """Ask the provider whether it has a batch that we may have submitted."""
        others = await self._store.ours() | self._foreign
        sent = Sent(batch.key, calls.keys(), batch.requests, batch.created_at)
        return await self._retrying.on(lambda tried: queue.api.find(sent, others))

    async def watch(self, settled: Callable[[bool], None]) -> None:
        """Look at the batches for ever; ``settled(False)`` before some are collected, ``settled(True)`` after.

        Raises:
            ModelError: The run cannot go on.
        """
        wait = self._first
        while True:
            if self._news.is_set() or not self._open:
                await self._news.wait()
                self._news.clear()
                self._heard = time.monotonic()
                wait = self._first
            ended = await self._look_at_all()
            if ended:
                settled(False)
                async with self._collecting:
                    await self._collect(ended)
                settled(True)
                wait = self._first
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
            wait = min(self._last, wait * _SLOWER)

    async def collected(self) -> None:
        """Wait while ended batches are being collected."""
        async with self._collecting:
            pass

    async def _look_at_all(self) -> list[tuple[OpenBatch, BatchState]]:
        ended: list[tuple[OpenBatch, BatchState]] = []
        for entry in self:
            try:
                state = await entry.queue.api.look(entry.provider_id)
            except TransientModelError as error:
                self._endure(error)
                continue
            self._heard = time.monotonic()
            counts = state.succeeded, state.failed
            if counts != (entry.succeeded, entry.failed):
                entry.succeeded, entry.failed = counts
                await self._store.count(entry.batch, *counts)
            if state.status != "working":
                ended.append((entry, state))
        self._tell()
        return ended

    def _endure(self, error: TransientModelError) -> None:
        self._report(CallRetried(error.kind))
        if time.monotonic() - self._heard > _LONGEST_SILENCE:
            raise RunModelError(
                f"the provider does not say how far the batches are, the last time: {error}; the run stopped, and "
                "the batches go on there. Run the same command again later: it collects them."
            ) from error

    def _tell(self) -> None:
        open_batches = self._open.values()
        self._report(
            BatchProgress(
                batches=len(open_batches),
                submitted=sum(entry.batch.requests for entry in open_batches),
                done=sum(entry.succeeded for entry in open_batches),
                failed=sum(entry.failed for entry in open_batches),
                age_s=max((entry.age for entry in open_batches), default=0.0),
            )
        )

    async def _collect(self, ended: list[tuple[OpenBatch, BatchState]]) -> None:
        for entry, state in ended:
            try:
                if state.status == "failed":
                    await self._refused(entry, state)
                else:
                    await self._collect_one(entry, state)
            except TransientModelError as error:
                self._endure(error)
        self._tell()

    async def _collect_one(self, entry: OpenBatch, state: BatchState) -> None:
        """Keep every answer of an ended batch, and hand it to whoever waits for it; failures are pending again."""
        untouched = len(entry.left) == entry.batch.requests
        refused: dict[str, RowModelError] = {}
        stop: ModelError | None = None
        latency = entry.age
        number, others = 0, False
        async for key, outcome in entry.queue.api.results(state):
            number += 1
            asked = entry.left.get(key)
            if asked is None:
                others = True
            elif isinstance(outcome, RowModelError) and outcome.kind not in ROWS_OWN:
                refused[key] = outcome
            else:
                stop = self._deliver(entry, asked, outcome, latency) or stop
            if number % _ROOM_EVERY == 0:
                await self._store.room()
        if untouched and others and len(entry.left) > len(refused):
            await self._disown(entry)
            return
        stop = stop or await self._judge(entry, refused, latency)
        unanswered = len(entry.left)
        kind = "cancelled" if state.cancelled else "missing"
        for asked in [each for each in entry.left.values() if each.key not in refused]:
            lost = TransientModelError(f"the batch ended without an answer to this request ({kind})", kind)
            self._deliver(entry, asked, lost, latency)
        await self._close(entry, "cancelled" if state.cancelled else "ended", state)
        if stop is not None:
            raise stop
        if state.cancelled and unanswered and entry.batch.status != "cancelling":
            raise RunModelError(
                f"the batch {entry.provider_id} was cancelled; what it had answered is stored. Run the same command "
                "again to submit the rest."
            )

    async def _judge(
        self, entry: OpenBatch, refused: dict[str, RowModelError], latency: float
    ) -> RunModelError | None:
        """Put what a batch came back refused into another one; what was refused there, too, is settled.

        An account that runs empty while a batch is worked off refuses the rest of it, and nobody knows when that was.
        Whoever is refused twice is at fault if the provider answers others; returned is why it does not.
        """
        items = {key: self._waiting.get(key) for key in refused}
        twice = [item for item in items.values() if item is not None and item.tries]
        if twice:
            try:
                await entry.queue.asker.vouch(twice[0].request, entry.batch.run_id)
            except RunModelError as problem:
                return problem
        for key, error in refused.items():
            item = items[key]
            if item is None or item.tries:
                self._deliver(entry, entry.left[key], error, latency)
            else:
                self._deliver(entry, entry.left[key], TransientModelError(str(error), error.kind), latency)
        return None

    def _deliver(
        self, entry: OpenBatch, asked: Asked, outcome: Outcome, latency: float
    ) -> RunModelError | None:
        """Settle one request; return why the whole run must stop, if it must."""
        queue, key = entry.queue, asked.key
        del entry.left[key]
        self._in_flight.discard(key)
        queue.in_flight -= 1
        if isinstance(outcome, Completion):
            purpose = cast(Purpose, asked.purpose)
            origin = Origin(entry.batch.run_id, asked.root_id, asked.epoch)
            try:
                item = self._waiting.get(key)
                request = item.request if item is not None else None
                answer = queue.asker.keep_batched(key, purpose, request, origin, outcome, entry.hold, latency)
            except RowModelError as error:
                outcome = error
            else:
                queue.answered += 1
                self._waiting.settle(key, answer)
                return None
        if isinstance(outcome, RunModelError):
            return outcome
        if isinstance(outcome, TransientModelError):
            self._try_again(entry, key, outcome)
        else:
            self._waiting.settle(key, outcome)
        return None

    def _try_again(self, entry: OpenBatch, key: str, error: TransientModelError) -> None:
        queue, item = entry.queue, self._waiting.get(key)
        if item is None:
            return  # nobody waits for it now; whoever does later submits it
        self._report(CallRetried(error.kind))
        item.tries += 1
        if item.tries < MOST_TRIES:
            if item.tries == 1:
                item.answered_before = queue.answered
            queue.put_back([item])
        else:
            self._waiting.settle(key, self._given_up(entry, item, error))

    @staticmethod
    def _given_up(entry: OpenBatch, item: BatchItem, error: TransientModelError) -> ModelError:
        """Tell one request that always fails from a provider that works nothing off.

        It is the request if others were answered since its first failure, or if it is alone and fails by itself.
        """
        queue = entry.queue
        alone = entry.batch.requests == 1 and error.kind in _REPLIES
        if queue.answered > item.answered_before or alone:
            said = f"failed in {item.tries} batches, the last time: {error}"
            return RowModelError(said, error.kind)
        return RunModelError(
            f"{queue.asker.name} answers nothing in {item.tries} batches, the last time: {error}; the run "
            "stopped, and what is finished is stored. Run the same command again later."
        )

    async def _disown(self, entry: OpenBatch) -> None:
        """A batch taken for ours by its size and time lacks some of ours: look for the right one again."""
        batch = replace(entry.batch, provider_id=None)
        self._foreign.add(entry.provider_id)
        self._forget(entry)
        await self._store.intended_again(batch)
        await self._resume(batch, entry.queue, entry.left)
        if entry.batch.key not in self._open:
            entry.queue.put_back(filter(None, map(self._waiting.get, entry.left)))

    async def _refused(self, entry: OpenBatch, state: BatchState) -> None:
        """A batch was refused as a whole: submit less at a time if that was the reason, else stop."""
        queue, requests = entry.queue, len(entry.left)
        await self._close(entry, "failed", state)
        if state.code == _TOO_MUCH_ENQUEUED and requests > 1:
            queue.most_in_flight = max(queue.in_flight, requests // 2)
            queue.put_back(filter(None, map(self._waiting.get, entry.left)))
            return
        raise RunModelError(
            f"{queue.asker.name} refused the batch {entry.provider_id}: {state.reason}; nothing in it was worked on. "
            "The run stopped; put this right and run the same command again."
        )

    async def _close(self, entry: OpenBatch, status: str, state: BatchState) -> None:
        await self._store.close(
            entry.batch, status, succeeded=state.succeeded, failed=state.failed, reason=state.reason
        )
        self._forget(entry)

    def _forget(self, entry: OpenBatch) -> None:
        del self._open[entry.batch.key]
        self._in_flight.difference_update(entry.left)
        entry.queue.in_flight -= len(entry.left)
        entry.queue.asker.common.budget.settle(entry.hold, None, calls=0)
