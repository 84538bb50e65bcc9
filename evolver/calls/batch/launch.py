"""Submit a wave of requests: cut it to what is allowed, store the intent, send it, store where it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO

from evolver.calls.batch.insistence import Insistence
from evolver.calls.batch.log import BatchLog
from evolver.calls.batch.waiting import Lane, Wanted
from evolver.calls.limits import SlotsClosedError
from evolver.errors import BudgetError, ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.batch.files import new_file
from evolver.models.batch.protocol import BatchApi, Sent
from evolver_store.batches import Asked, Batch, add_intent, claimed_ids, drop_intent, set_submitted


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
        run_id: The run.
        log: The store.
        insistence: How long to try.
    """

    def __init__(self, run_id: int, log: BatchLog, insistence: Insistence) -> None:
        self._run_id = run_id
        self._log = log
        self._insistence = insistence

    def affordable(self, lane: Lane, wave: list[Wanted], reserved_usd: float) -> list[Wanted]:
        """Return as many of a wave as the budget is likely to allow.

        Args:
            lane: Where they go.
            wave: What is to be submitted.
            reserved_usd: What the requests in flight are likely to cost.

        Raises:
            BudgetError: The budget is spent, or the first of them would pass it with nothing in flight.
        """
        budget = lane.asker.budget
        budget.check()
        if budget.most is None:
            return wave
        left = budget.most - budget.spent - reserved_usd
        chosen = 0
        for wanted in wave:
            left -= lane.likely_cost(wanted.request)
            if left < 0:
                break
            chosen += 1
        if wave and not chosen and not reserved_usd:
            raise BudgetError(
                f"the run has spent ${budget.spent:.2f}, and the next batch would pass --max-cost {budget.most:g}; "
                "it stopped and everything paid for is stored."
            )
        return wave[:chosen]

    async def launch(
        self, lane: Lane, file: IO[bytes], part: Sequence[Wanted]
    ) -> tuple[Batch, dict[str, Asked], str]:
        """Submit one file; return its row, its requests and the provider's name for it.

        Raises:
            RunModelError: The provider does not take it.
            SlotsClosedError: The run is stopping; the batch was not submitted, or will be found by the next session.
        """
        asked = {
            each.key: Asked(each.key, each.origin.root_id, each.origin.epoch, each.request.purpose)
            for each in part
        }
        who = lane.asker.identity
        batch = await self._log.write(
            lambda conn: add_intent(
                conn,
                run_id=self._run_id,
                provider=who.provider,
                base_url=who.base_url,
                model=who.name,
                asked=list(asked.values()),
            )
        )
        provider_id = await self._send(lane, batch, asked, file)
        await self._log.write(lambda conn: set_submitted(conn, batch.key, provider_id))
        return replace(batch, submitted_at=datetime.now(UTC)), asked, provider_id

    async def _send(self, lane: Lane, batch: Batch, asked: dict[str, Asked], file: IO[bytes]) -> str:
        """Send a file; where the provider's word on it was lost, look whether it has the batch before the next try."""
        unsure = False

        async def work(tried: int) -> str:
            nonlocal unsure
            if unsure:
                others = await self._log.read(claimed_ids)
                found = await lane.api.find(Sent(batch.key, asked.keys(), batch.created_at), others)
                if found is not None:
                    return found
            if self._insistence.closed:
                raise SlotsClosedError
            try:
                return await lane.api.submit(batch.key, file)
            except TransientModelError:
                unsure = True
                raise

        try:
            return await self._insistence.on(work)
        except (ModelError, SlotsClosedError) as error:
            if not unsure:
                await self._log.write(lambda conn: drop_intent(conn, batch.key))
            if isinstance(error, RowModelError):
                raise RunModelError(
                    f"{lane.asker.name} did not take a batch of {len(asked)} requests: {error}; the run stopped."
                ) from error
            raise
