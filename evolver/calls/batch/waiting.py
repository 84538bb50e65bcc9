"""Who waits for what: requests that are to be submitted or are in flight, and the attempts behind them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from evolver.calls.ask import Answer, Asker
from evolver.calls.forecast import BATCH_FACTOR
from evolver.calls.key import Origin
from evolver.models.batch.protocol import BatchApi
from evolver.models.protocol import Request

Shape = tuple[object, ...]


@dataclass(slots=True)
class BatchItem:
    """A request that at least one attempt waits for.

    ``tries`` counts the batches in which it was and failed; ``answered_before`` is how many requests of its
    queue batches had answered when it first failed.
    """

    key: str
    request: Request
    origin: Origin
    priority: int
    answered_before: int = 0
    tries: int = 0
    futures: list[asyncio.Future[Answer]] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """Which parameters the request sets, taken or refused whatever their values, and what else it holds."""
        sampling = self.request.sampling
        given = (sampling.temperature, sampling.top_p, sampling.frequency_penalty)
        extra = json.dumps(sampling.extra_body, sort_keys=True) if sampling.extra_body else None
        return (*(value is not None for value in given), sampling.reasoning_effort, extra)


class Waiting:
    """Every request that somebody waits for, by call key."""

    def __init__(self) -> None:
        self._items: dict[str, BatchItem] = {}
        self.count = 0
        """How many attempts wait; equal requests of two attempts are one request and count twice."""

    def get(self, key: str) -> BatchItem | None:
        """Return what waits under that key."""
        return self._items.get(key)

    def join(self, item: BatchItem) -> tuple[asyncio.Future[Answer], bool]:
        """Wait for a request; the second value tells whether nobody did before."""
        known = self._items.setdefault(item.key, item)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        known.futures.append(future)
        self.count += 1
        return future, known is item

    def settle(self, key: str, outcome: Answer | BaseException) -> None:
        """Give those who wait for a request its answer, or the reason why there is none."""
        item = self._items.pop(key, None)
        if item is None:
            return
        self.count -= len(item.futures)
        for future in item.futures:
            if future.done():
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def settle_all(self, error: BaseException) -> None:
        """Send everybody away."""
        for key in list(self._items):
            self.settle(key, error)


class ModelQueue:
    """One model: who asks it live, its batch API, and the requests that are to be submitted to it.

    ``in_flight`` counts the requests in flight; ``most_in_flight`` is how many there may be, once the provider has said
    that it was too many; ``held`` says that the budget lets no more start before some have landed. ``accepted``
    are the shapes of requests of which the model has answered one.
    """

    def __init__(self, asker: Asker, api: BatchApi) -> None:
        self.asker = asker
        self.api = api
        self.pending: dict[str, BatchItem] = {}
        self.accepted: set[Shape] = set()
        self.answered = 0
        self.in_flight = 0
        self.most_in_flight: int | None = None
        self.held = False

    def take(self) -> list[BatchItem]:
        """Hand out what is pending, as much as may be in flight."""
        most = (
            len(self.pending) if self.most_in_flight is None else max(0, self.most_in_flight - self.in_flight)
        )
        wave = list(self.pending.values())[:most]
        for item in wave:
            del self.pending[item.key]
        return wave

    def put_back(self, wave: Iterable[BatchItem]) -> None:
        """Let requests be pending again."""
        self.pending.update((item.key, item) for item in wave)

    def careful_cost(self, request: Request, among: int) -> float:
        """What one of ``among`` requests in a batch costs on the average, at most, in dollars; 0 without a price."""
        return BATCH_FACTOR * self.asker.common.forecast.careful(request, among)
