"""Submit a wave of requests: cut it to what is allowed, store the intent, send it, store where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO

from evolver.calls.batch.flight import Flight
from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.store import Asked, Batch, BatchStore
from evolver.calls.batch.waiting import Lane, Wanted
from evolver.calls.limits import SlotsClosedError
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.batch.files import new_file
from evolver.models.batch.protocol import BatchApi, Sent


def packed(api: BatchApi, wave: Sequence[Wanted]) -> Iterator[tuple[IO[bytes], list[Wanted]]]:
    """Write a wave into as few files as the provider's limits allow; whoever takes a file closes it."""
    part: list[Wanted] = []
    file = new_file()
    for wanted in wave:
        line = api.line(wanted.key, wanted.request)
        size = file.tell() + len(api.between) + len(line) + len(api.closing)
        if part and (len(part) == api.most_requests or size > api.most_bytes):
            file.write(api.closing)
            yield file, part
            file, part = new_file(), []
        file.write(api.between if part else api.opening)
        file.write(line)
        part.append(wanted)
    file.write(api.closing)
    yield file, part


class Launcher:
    """Submits waves on behalf of one run.

    Args:
        store: Where batches are noted.
        retrying: How long to try.
    """

    def __init__(self, store: BatchStore, retrying: Retrying) -> None:
        self._store = store
        self._retrying = retrying

    def affordable(self, lane: Lane, wave: list[Wanted]) -> list[Wanted]:
        """Return as many of a wave as the budget almost certainly allows: a batch cannot be stopped half-way.

        Raises:
            BudgetError: It allows none, and nothing is in flight that could cost less than it was taken to.
        """
        budget = lane.asker.common.budget
        if budget.most is None:
            return wave
        budget.check()
        left, chosen = budget.room, 0
        for wanted in wave:
            left -= lane.careful_cost(wanted.request, among=len(wave))
            if left < 0:
                break
            chosen += 1
        if wave and not chosen and not budget.flying:
            raise budget.error()
        return wave[:chosen]

    async def launch(self, lane: Lane, file: IO[bytes], part: Sequence[Wanted]) -> Flight:
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
        cost = sum(lane.careful_cost(each.request, among=len(part)) for each in part)
        purses = [each.origin.purse for each in part if each.origin.purse is not None]
        hold = lane.asker.common.budget.hold(cost, len(part), purses)
        try:
            batch = await self._store.intend(lane.asker.identity, asked.values(), cost, lane.api.now())
            provider_id = await self._send(lane, batch, asked, file)
            await self._store.submitted(batch, provider_id)
        except BaseException:
            lane.asker.common.budget.settle(hold, None, calls=0)
            raise
        return Flight(replace(batch, submitted_at=datetime.now(UTC)), lane, asked, provider_id, hold)

    async def _send(self, lane: Lane, batch: Batch, asked: dict[str, Asked], file: IO[bytes]) -> str:
        """Send a file; where the provider's word on it was lost, look whether it has the batch before the next try."""
        unsure = False

        async def work(tried: int) -> str:
            nonlocal unsure
            if unsure:
                others = await self._store.ours()
                found = await lane.api.find(Sent(batch.key, asked.keys(), batch.created_at), others)
                if found is not None:
                    return found
            if self._retrying.closed:
                raise SlotsClosedError
            try:
                return await lane.api.submit(batch.key, file)
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
                    f"{lane.asker.name} did not take a batch of {len(asked)} requests: {error}; the run stopped."
                ) from error
            raise
