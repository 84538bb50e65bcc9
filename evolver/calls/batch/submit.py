"""Submit a wave of requests: cut it to what is allowed, store the intent, send it, store where it went."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO

from evolver.calls.batch.in_flight import OpenBatch
from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.store import Asked, Batch, BatchStore
from evolver.calls.batch.waiting import BatchItem, ModelQueue
from evolver.calls.limits import SlotsClosedError
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.batch.files import new_file
from evolver.models.batch.protocol import BatchApi, Sent


def packed(api: BatchApi, wave: Sequence[BatchItem]) -> Iterator[tuple[IO[bytes], list[BatchItem]]]:
    """Write a wave into as few files as the provider's limits allow; whoever takes a file closes it."""
    part: list[BatchItem] = []
    file = new_file()
    for item in wave:
        line = api.line(item.key, item.request)
        size = file.tell() + len(api.between) + len(line) + len(api.closing)
        if part and (len(part) == api.most_requests or size > api.most_bytes):
            file.write(api.closing)
            yield file, part
            file, part = new_file(), []
        file.write(api.between if part else api.opening)
        file.write(line)
        part.append(item)
    file.write(api.closing)
    yield file, part


class Submitter:
    """Submits waves on behalf of one run.

    Args:
        store: Where batches are noted.
        retrying: How long to try.
    """

    def __init__(self, store: BatchStore, retrying: Retrying) -> None:
        self._store = store
        self._retrying = retrying
        self._taken: set[str] = set()
        self._turn = asyncio.Lock()

    def affordable(self, queue: ModelQueue, wave: list[BatchItem]) -> list[BatchItem]:
        """Return as many of a wave as the budget almost certainly allows: a batch cannot be stopped half-way.

        Raises:
            BudgetError: It allows none, and nothing is in flight that could cost less than it was taken to.
        """
        budget = queue.asker.common.budget
        if budget.most is None:
            return wave
        budget.check()
        left, chosen = budget.room, 0
        for item in wave:
            left -= queue.careful_cost(item.request, among=len(wave))
            if left < 0:
                break
            chosen += 1
        if wave and not chosen and not budget.in_flight:
            raise budget.error()
        return wave[:chosen]

    async def submit(self, queue: ModelQueue, file: IO[bytes], part: Sequence[BatchItem]) -> OpenBatch:
        """Submit one file, with what it may cost set aside; return the batch in flight.

        Raises:
            RunModelError: The provider does not take it.
            BatchMissingError: It took it, and the store has lost its row.
            SlotsClosedError: The run is stopping; the batch was not submitted, or will be found by the next session.
        """
        asked = {
            each.key: Asked(each.key, each.origin.root_id, each.origin.epoch, each.request.purpose)
            for each in part
        }
        cost = sum(queue.careful_cost(each.request, among=len(part)) for each in part)
        allowances = [each.origin.allowance for each in part if each.origin.allowance is not None]
        hold = queue.asker.common.budget.hold(cost, len(part), allowances)
        try:
            batch = await self._store.intend(queue.asker.identity, asked.values(), cost, queue.api.now())
            provider_id = await self._send(queue, batch, asked, file)
            await self._store.submitted(batch, provider_id)
        except BaseException:
            queue.asker.common.budget.settle(hold, None, calls=0)
            raise
        return OpenBatch(replace(batch, submitted_at=datetime.now(UTC)), queue, asked, provider_id, hold)

    async def _send(self, queue: ModelQueue, batch: Batch, asked: dict[str, Asked], file: IO[bytes]) -> str:
        """Send a file; where the provider's word on it was lost, look whether it has the batch before the next try.

        One after the other: a provider that knows batches at work by their size alone would else hand out one that
        is being submitted for the one that was lost.
        """
        unsure = False

        async def work(tried: int) -> str:
            async with self._turn:
                provider_id = await once()
                self._taken.add(provider_id)
                return provider_id

        async def once() -> str:
            nonlocal unsure
            if unsure:
                others = await self._store.ours() | self._taken
                found = await queue.api.find(
                    Sent(batch.key, asked.keys(), len(asked), batch.created_at), others
                )
                if found is not None:
                    return found
            if self._retrying.closed:
                raise SlotsClosedError
            try:
                return await queue.api.submit(batch.key, file)
            except TransientModelError:
                unsure = True
                raise

        try:
            return await self._retrying.on(work)
        except (ModelError, SlotsClosedError) as error:
            if not unsure:
                await self._store.forget(batch)
            if isinstance(error, RowModelError):
                raise RunModelError(
                    f"{queue.asker.name} did not take a batch of {len(asked)} requests: {error}; the run stopped."
                ) from error
            raise
