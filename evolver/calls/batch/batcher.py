"""Collect what all lineages wait for, and submit it when nothing else can run.

A run is a crowd of attempts, each of which asks one question at a time. Here an attempt that asks is put to wait. Once
every open attempt waits and no further one can be opened, what has gathered is submitted: so waves form by
themselves, and lineages in different epochs share a batch. No clock decides anything but how often the provider
is asked how far it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from evolver.calls.ask import Answer, Asker, Asks
from evolver.calls.batch.in_flight import OpenBatches, QueueKey
from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.store import BatchStore
from evolver.calls.batch.submit import Submitter, packed
from evolver.calls.batch.waiting import BatchItem, ModelQueue, Waiting
from evolver.calls.events import CallEvent, Notice
from evolver.calls.key import Origin
from evolver.calls.limits import SlotsClosedError
from evolver.errors import RowModelError
from evolver.models.batch.protocol import Batchable
from evolver.models.protocol import Model, Purpose, Request


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How to batch.

    ``least`` requests are worth a batch of their own while others are in flight; with ``live_tail`` fewer
    than that are asked live once nothing is in flight. ``look_every`` fixes the seconds between looks.
    """

    least: int = 20
    live_tail: bool = False
    look_every: float | None = None


class Batcher:
    """Asks models in batches on behalf of a run; use it as an asynchronous context manager.

    Args:
        store: Where the run's batches are noted.
        report: Told of answers, retries, and how far the batches are.
        options: How to batch.
    """

    def __init__(self, store: BatchStore, report: Callable[[CallEvent], None], options: BatchOptions) -> None:
        self._store = store
        self._report = report
        self._options = options
        self._retrying = Retrying(report)
        self._waiting = Waiting()
        self._batches = OpenBatches(store, self._waiting, report, self._retrying, options.look_every)
        self._submitter = Submitter(store, self._retrying)
        self._queues: dict[QueueKey, ModelQueue] = {}
        self._open: int | None = None
        self._busy = 0
        self._error: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None

    def askers(self, live: Mapping[Purpose, Asks], models: Mapping[Purpose, Model]) -> dict[Purpose, Asks]:
        """Return what asks in batches in place of each asker, where its model has a batch API."""
        made = dict(live)
        for purpose, asker in live.items():
            model = models[purpose]
            if not isinstance(asker, Asker) or not isinstance(model, Batchable):
                continue
            who = asker.identity
            queue = self._queues.setdefault(
                (who.provider, who.base_url, who.name), ModelQueue(asker, model.batch_api())
            )
            asker.common.budget.on_wait = self._consider
            made[purpose] = BatchAsker(self, queue)
        return made

    async def __aenter__(self) -> Self:
        """Take up what is in flight, and begin to look at it.

        Raises:
            ModelError: A provider could not be asked about a batch whose submission was never confirmed.
        """
        await self._batches.adopt(self._queues)
        self._watch = self._start(self._batches.watch(self._collecting))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish a submission that is under way, and leave the batches in flight to their provider."""
        self.close()
        if error is None:
            await self._batches.collected()
        if self._watch is not None:
            self._watch.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        requests = sum(len(entry.left) for entry in self._batches)
        if requests:
            self._report(
                Notice(
                    f"Requests in flight at the provider, where they go on: {requests:,}. The same command collects "
                    "them; 'evolve batches' lists and cancels batches."
                )
            )

    async def ask(self, queue: ModelQueue, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``: from the store, from a batch in flight, or from one to come.

        Raises:
            EvolverError: As :meth:`evolver.calls.ask.Asker.ask`.
        """
        key = queue.asker.key(request)
        if key not in self._batches and self._waiting.get(key) is None:
            request, known = await queue.asker.known(request)
            if known is not None:
                return known
            key = queue.asker.key(request)
        allowance = await queue.asker.open_allowance(request, origin)
        funded = origin if allowance is origin.allowance else replace(origin, allowance=allowance)
        try:
            return await self._wait_for(queue, BatchItem(key, request, funded, priority))
        finally:
            if allowance is not origin.allowance:
                allowance.close()

    async def _wait_for(self, queue: ModelQueue, item: BatchItem) -> Answer:
        if self._error is not None:
            raise self._error
        if self._retrying.closed:
            raise SlotsClosedError
        future, first = self._waiting.join(item)
        if first and item.key not in self._batches:
            queue.pending[item.key] = item
        self._consider()
        return await future

    def rest(self, open_attempts: int | None) -> None:
        """Hear from the run: so many attempts are open and it can open no more, or ``None``: it goes on."""
        self._open = open_attempts
        self._consider()

    def close(self) -> None:
        """Send everybody who waits away; what is in flight goes on at the provider."""
        self._retrying.close()
        self._waiting.settle_all(SlotsClosedError())

    def _consider(self) -> None:
        """Submit, if nothing else can run: every open attempt waits, and nothing is being submitted or collected."""
        waiting = self._waiting.count + self._waiting_for_money
        if self._busy or self._retrying.closed or self._open != waiting:
            return
        pending = sum(len(each.futures) for queue in self._queues.values() for each in queue.pending.values())
        somebody_waits_for_a_batch = self._waiting.count > pending
        for queue in sorted(self._queues.values(), key=lambda queue: -len(queue.pending)):
            few = len(queue.pending) < self._options.least
            if not queue.pending or queue.held or (few and (somebody_waits_for_a_batch or self._busy)):
                continue
            wave = queue.take()
            if wave:
                self._busy += 1
                self._start(self._submit(queue, wave, live=few and self._options.live_tail))

    @property
    def _waiting_for_money(self) -> int:
        return max((queue.asker.common.budget.waiting for queue in self._queues.values()), default=0)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SlotsClosedError):
            self._error = self._error or error
            self._waiting.settle_all(error)

    def _collecting(self, over: bool) -> None:
        self._busy += -1 if over else 1
        if over:
            for queue in self._queues.values():
                queue.held = False
            self._consider()

    async def _submit(self, queue: ModelQueue, wave: list[BatchItem], *, live: bool) -> None:
        try:
            wave = await self._unanswered(queue, wave)
            if live:
                await asyncio.gather(*(self._ask_live(queue, item) for item in wave))
            else:
                await self._submit_files(queue, await self._probe(queue, wave))
        finally:
            self._busy -= 1
        self._consider()

    async def _unanswered(self, queue: ModelQueue, wave: list[BatchItem]) -> list[BatchItem]:
        """Settle what has come into the store since it was asked: equal lineages ask the same, one after the other."""
        answered = await self._store.answered([item.key for item in wave])
        for item in wave:
            if item.key in answered:
                try:
                    _, known = await queue.asker.known(item.request)
                except RowModelError as error:
                    self._waiting.settle(item.key, error)
                    continue
                assert known is not None
                self._waiting.settle(item.key, known)
        return [item for item in wave if item.key not in answered]

    async def _probe(self, queue: ModelQueue, wave: list[BatchItem]) -> list[BatchItem]:
        """Ask one request of each new shape live: a wrong key or a refused parameter shows now, not in a day."""
        rest = []
        for item in wave:
            if item.shape in queue.accepted:
                rest.append(item)
            elif await self._ask_live(queue, item):
                queue.accepted.add(item.shape)
        return rest

    async def _ask_live(self, queue: ModelQueue, item: BatchItem) -> bool:
        """Ask one request live and settle it; return whether the model answered."""
        try:
            answer = await queue.asker.buy(item.request, item.origin, item.priority)
        except RowModelError as error:
            self._waiting.settle(item.key, error)
            return False
        self._waiting.settle(item.key, answer)
        return True

    async def _submit_files(self, queue: ModelQueue, wave: list[BatchItem]) -> None:
        if not wave:
            return
        chosen = self._submitter.affordable(queue, wave)
        queue.put_back(wave[len(chosen) :])
        queue.held = len(chosen) < len(wave)
        parts = packed(queue.api, chosen)
        while chosen and (packet := await asyncio.to_thread(next, parts, None)) is not None:
            file, part = packet
            with file:
                self._batches.add(await self._submitter.submit(queue, file, part))


class BatchAsker:
    """Asks one model through a batcher; has the face of an :class:`~evolver.calls.ask.Asker`."""

    def __init__(self, batcher: Batcher, queue: ModelQueue) -> None:
        self._batcher = batcher
        self._queue = queue

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        return self._queue.asker.name

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``; see :meth:`Batcher.ask`."""
        return await self._batcher.ask(self._queue, request, origin, priority)
