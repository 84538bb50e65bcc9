"""A batch whose submission was not acknowledged, beside another of the same size that is being submitted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Set
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, Any, cast

from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.submit import Submitter
from evolver.calls.batch.waiting import BatchItem, ModelQueue
from evolver.calls.budget import Budget
from evolver.calls.gate import Gate
from evolver.calls.key import Origin
from evolver.errors import TransientModelError
from evolver.models.batch.protocol import Sent
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Request, Sampling
from evolver_store.batches import Batch
from tests.calls.asking import make_asker

BATCH = Batch(
    "b", 1, "a", None, "m", None, "intended", 1, 0, 0, None, datetime(2026, 1, 1, tzinfo=UTC), None, None
)


class Provider:
    """Knows batches at work by their size alone, loses its first answer, and is slow with the second."""

    def __init__(self, again: asyncio.Event) -> None:
        self.made: list[bytes] = []
        self._again = again

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def submit(self, key: str, file: IO[bytes]) -> str:
        self.made.append(file.read())
        number = len(self.made)
        if number == 2:
            await self._again.wait()
        for _ in range(20):  # turns of the loop: more than it takes to begin another, or to look at the list
            await asyncio.sleep(0)
        if number == 1:
            raise TransientModelError("the answer was lost", "connection")
        return f"batch-{number}"

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        names = [f"batch-{number}" for number in range(len(self.made), 0, -1)]
        return next((name for name in names if name not in not_these), None)


class AtOnce(Retrying):
    """Tries again without a wait, and says so."""

    def __init__(self) -> None:
        super().__init__(lambda event: None)
        self.again = asyncio.Event()

    async def on(self, work: Callable[[int], Awaitable[Any]]) -> Any:
        try:
            return await work(0)
        except TransientModelError:
            self.again.set()
            return await work(1)


class Store:
    """Notes nothing: what is on its way is what this is about."""

    async def ours(self) -> set[str]:
        return set()

    async def intend(self, who: object, asked: object, cost: float, at: datetime) -> Batch:
        return BATCH

    async def submitted(self, batch: Batch, provider_id: str) -> None:
        pass


def test_a_lost_batch_is_not_taken_for_one_of_its_size_that_is_being_submitted() -> None:
    async def submit_both() -> list[str]:
        retrying = AtOnce()
        provider = Provider(retrying.again)
        asker = make_asker(
            cast(Any, None), ModelIdentity("a", "a:m"), gate=Gate(1), log=cast(Any, None), budget=Budget(None)
        )
        queue = ModelQueue(asker, cast(Any, provider))
        submitter = Submitter(cast(Any, Store()), retrying)
        both = [
            submitter.submit(
                queue,
                BytesIO(name.encode()),
                [BatchItem(name, Request("evolve", name, Sampling(), "1"), Origin(1, None, None), 0)],
            )
            for name in ("lost", "slow")
        ]
        return [batch.provider_id for batch in await asyncio.gather(*both)]

    assert asyncio.run(submit_both()) == ["batch-1", "batch-2"]
