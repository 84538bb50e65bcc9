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
from evolver.calls.batch.waiting import Lane, Waiting, Wanted
from evolver.calls.budget import Reservation
from evolver.calls.events import BatchProgress, CallEvent, CallRetried
from evolver.calls.key import Origin
from evolver.errors import ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.batch.protocol import BatchState, Outcome, Sent
from evolver.models.protocol import Completion, Purpose

MOST_TRIES = 4  # batches in which a request may fail before it is given up
_FIRST_LOOK, _LAST_LOOK, _SLOWER = 5.0, 60.0, 1.5  # seconds between looks, and how they grow
_LONGEST_SILENCE = 900.0  # seconds without a single answer from the provider
_TOO_MUCH_ENQUEUED = "token_limit_exceeded"
_ROOM_EVERY = 100
_REPLIES = frozenset({"server_error", "malformed"})  # failures that a server in order may make of a request
LaneKey = tuple[str, str | None, str]


@dataclass(slots=True)
class Flight:
    """A batch that a provider has, and the requests of it that have no answer yet."""

    batch: Batch
    lane: Lane
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


class Flights:
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
        self._open: dict[str, Flight] = {}
        self._in_flight: set[str] = set()
        self._foreign: set[str] = set()
        self._news = asyncio.Event()
        self._landing = asyncio.Lock()
        self._heard = time.monotonic()

    def __contains__(self, key: str) -> bool:
        """Tell whether a call is in flight."""
        return key in self._in_flight

    def __iter__(self) -> Iterator[Flight]:
        """Go through the open batches, oldest first."""
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        """How many batches are open."""
        return len(self._open)

    def add(self, flight: Flight) -> None:
        """Take in a batch that the provider has."""
        self._open[flight.batch.key] = flight
        self._in_flight.update(flight.left)
        flight.lane.in_flight += len(flight.left)
        self._news.set()

    async def adopt(self, lanes: Mapping[LaneKey, Lane]) -> None:
        """Take up the batches that earlier sessions of the run left in flight, with what was set aside for them.

        Raises:
            ModelError: The provider could not be asked about one whose submission was never confirmed.
        """
        for batch in await self._store.in_flight():
            lane = lanes.get((batch.provider, batch.base_url, batch.model))
            if lane is None:
                continue
            left = {each.key: each for each in await self._store.unanswered(batch)}
            await self._resume(batch, lane, left)
        self._tell()

    async def _resume(self, batch: Batch, lane: Lane, left: dict[str, Asked]) -> None:
        """Find an intended batch at the provider, or forget it: its requests are then submitted anew."""
        provider_id = batch.provider_id
        if provider_id is None:
            provider_id = await self._find(batch, lane, left)
            if provider_id is None:
                await self._store.forget(batch)
                return
            await self._store.submitted(batch, provider_id)
        share = len(left) / max(1, batch.requests)
        hold = lane.asker.common.budget.hold((batch.reserved_usd or 0.0) * share, len(left))
        self.add(Flight(batch, lane, left, provider_id, hold))

    async def _find(self, batch: Batch, lane: Lane, calls: Mapping[str, Asked]) -> str | None:
        """Ask the provider whether it has a batch that we may have submitted."""
        others = await self._store.ours() | self._foreign
        sent = Sent(batch.key, calls.keys(), batch.created_at)
        return await self._retrying.on(lambda tried: lane.api.find(sent, others))

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
                async with self._landing:
                    await self._collect(ended)
                settled(True)
                wait = self._first
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
            wait = min(self._last, wait * _SLOWER)

    async def landed(self) -> None:
        """Wait while ended batches are being collected."""
        async with self._landing:
            pass

    async def _look_at_all(self) -> list[tuple[Flight, BatchState]]:
        ended: list[tuple[Flight, BatchState]] = []
        for flight in self:
            try:
                state = await flight.lane.api.look(flight.provider_id)
            except TransientModelError as error:
                self._endure(error)
                continue
            self._heard = time.monotonic()
            counts = state.succeeded, state.failed
            if counts != (flight.succeeded, flight.failed):
                flight.succeeded, flight.failed = counts
                await self._store.count(flight.batch, *counts)
            if state.status != "working":
                ended.append((flight, state))
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
        flights = self._open.values()
        self._report(
            BatchProgress(
                batches=len(flights),
                submitted=sum(flight.batch.requests for flight in flights),
                done=sum(flight.succeeded for flight in flights),
                failed=sum(flight.failed for flight in flights),
                age_s=max((flight.age for flight in flights), default=0.0),
            )
        )

    async def _collect(self, ended: list[tuple[Flight, BatchState]]) -> None:
        for flight, state in ended:
            try:
                if state.status == "failed":
                    await self._refused(flight, state)
                else:
                    await self._land(flight, state)
            except TransientModelError as error:
                self._endure(error)
        self._tell()

    async def _land(self, flight: Flight, state: BatchState) -> None:
        """Keep every answer of an ended batch, and hand it to whoever waits for it; failures are pending again."""
        untouched = len(flight.left) == flight.batch.requests
        counts = {True: 0, False: 0}
        stop: ModelError | None = None
        latency = flight.age
        number = 0
        async for key, outcome in flight.lane.api.results(state):
            number += 1
            asked = flight.left.get(key)
            if asked is not None:
                counts[isinstance(outcome, Completion)] += 1
                stop = self._deliver(flight, asked, outcome, latency) or stop
            if number % _ROOM_EVERY == 0:
                await self._store.room()
        if number and untouched and len(flight.left) == flight.batch.requests:
            await self._disown(flight)
            return
        unanswered = len(flight.left)
        kind = "cancelled" if state.cancelled else "missing"
        for asked in list(flight.left.values()):
            lost = TransientModelError(f"the batch ended without an answer to this request ({kind})", kind)
            self._deliver(flight, asked, lost, latency)
        await self._close(flight, "cancelled" if state.cancelled else "ended", state)
        if stop is not None:
            raise stop
        if state.cancelled and unanswered and flight.batch.status != "cancelling":
            raise RunModelError(
                f"the batch {flight.provider_id} was cancelled; what it had answered is stored. Run the same command "
                "again to submit the rest."
            )

    def _deliver(
        self, flight: Flight, asked: Asked, outcome: Outcome, latency: float
    ) -> RunModelError | None:
        """Settle one request; return why the whole run must stop, if it must."""
        lane, key = flight.lane, asked.key
        del flight.left[key]
        self._in_flight.discard(key)
        lane.in_flight -= 1
        if isinstance(outcome, Completion):
            purpose = cast(Purpose, asked.purpose)
            origin = Origin(flight.batch.run_id, asked.root_id, asked.epoch)
            try:
                wanted = self._waiting.get(key)
                request = wanted.request if wanted is not None else None
                answer = lane.asker.keep_batched(key, purpose, request, origin, outcome, flight.hold, latency)
            except RowModelError as error:
                outcome = error
            else:
                lane.answered += 1
                self._waiting.settle(key, answer)
                return None
        if isinstance(outcome, RunModelError):
            return outcome
        if isinstance(outcome, TransientModelError):
            self._try_again(flight, key, outcome)
        else:
            self._waiting.settle(key, outcome)
        return None

    def _try_again(self, flight: Flight, key: str, error: TransientModelError) -> None:
        lane, wanted = flight.lane, self._waiting.get(key)
        if wanted is None:
            return  # nobody waits for it now; whoever does later submits it
        self._report(CallRetried(error.kind))
        wanted.tries += 1
        if wanted.tries < MOST_TRIES:
            if wanted.tries == 1:
                wanted.answered_before = lane.answered
            lane.put_back([wanted])
        else:
            self._waiting.settle(key, self._given_up(flight, wanted, error))

    @staticmethod
    def _given_up(flight: Flight, wanted: Wanted, error: TransientModelError) -> ModelError:
        """Tell one request that always fails from a provider that works nothing off.

        It is the request if others were answered since its first failure, or if it is alone and fails by itself.
        """
        lane = flight.lane
        alone = flight.batch.requests == 1 and error.kind in _REPLIES
        if lane.answered > wanted.answered_before or alone:
            said = f"failed in {wanted.tries} batches, the last time: {error}"
            return RowModelError(said, error.kind)
        return RunModelError(
            f"{lane.asker.name} answers nothing in {wanted.tries} batches, the last time: {error}; the run "
            "stopped, and what is finished is stored. Run the same command again later."
        )

    async def _disown(self, flight: Flight) -> None:
        """A batch taken for ours by its size and time holds other requests: look for the right one again."""
        batch = replace(flight.batch, provider_id=None)
        self._foreign.add(flight.provider_id)
        self._forget(flight)
        await self._store.intended_again(batch)
        await self._resume(batch, flight.lane, flight.left)
        if flight.batch.key not in self._open:
            flight.lane.put_back(filter(None, map(self._waiting.get, flight.left)))

    async def _refused(self, flight: Flight, state: BatchState) -> None:
        """A batch was refused as a whole: submit less at a time if that was the reason, else stop."""
        lane, requests = flight.lane, len(flight.left)
        await self._close(flight, "failed", state)
        if state.code == _TOO_MUCH_ENQUEUED and requests > 1:
            lane.most_in_flight = max(lane.in_flight, requests // 2)
            lane.put_back(filter(None, map(self._waiting.get, flight.left)))
            return
        raise RunModelError(
            f"{lane.asker.name} refused the batch {flight.provider_id}: {state.reason}; nothing in it was worked on. "
            "The run stopped; put this right and run the same command again."
        )

    async def _close(self, flight: Flight, status: str, state: BatchState) -> None:
        await self._store.close(
            flight.batch, status, succeeded=state.succeeded, failed=state.failed, reason=state.reason
        )
        self._forget(flight)

    def _forget(self, flight: Flight) -> None:
        del self._open[flight.batch.key]
        self._in_flight.difference_update(flight.left)
        flight.lane.in_flight -= len(flight.left)
        flight.lane.asker.common.budget.settle(flight.hold, None, calls=0)
