"""The gate of a run's calls: slots, concurrency that adapts, pace, pauses, and the end of them all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from evolver.calls.limits import Adaptive, Pacer, Slots, SlotsClosedError
from evolver.calls.waits import back_off_s
from evolver.errors import TransientModelError
from evolver.models.protocol import Completion, Request


class Gate:
    """Where every call of a run waits for its turn.

    Args:
        limit: The most calls in flight.
        rpm: Requests a minute, ``None`` for no limit.
        tpm: Tokens a minute, ``None`` for no limit.
    """

    def __init__(self, limit: int, *, rpm: int | None = None, tpm: int | None = None) -> None:
        self.limit = limit
        self._pacer = Pacer(rpm, tpm) if rpm or tpm else None
        self._slots = Slots(limit, pacer=self._pacer)
        self._adaptive = Adaptive(limit)
        self._closed = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """Calls that a model is answering now."""
        return self._slots.in_flight

    def close(self) -> None:
        """Let no more calls start; those in flight may finish."""
        self._closed.set()
        self._slots.close()

    def check_open(self) -> None:
        """Make sure that calls may still start.

        Raises:
            SlotsClosedError: They may not.
        """
        if self._closed.is_set():
            raise SlotsClosedError

    @asynccontextmanager
    async def slot(self, priority: int, request: Request) -> AsyncIterator[Call]:
        """Hold a slot for one call; the lowest ``priority`` that waits gets the next free one.

        Raises:
            SlotsClosedError: No more calls start.
        """
        estimate = self._estimate(request)
        await self._slots.acquire(priority, estimate)
        if self._closed.is_set():
            # The failed call that closed the gate handed its slot on first: the next in line must not ask too.
            self._slots.release()
            raise SlotsClosedError
        call = Call(self, estimate, self._adaptive.round)
        try:
            yield call
        except TransientModelError as error:
            call.failed(error)
            raise
        finally:
            self._slots.release()

    async def back_off(self, tried: int, retry_after: float | None) -> None:
        """Wait before a call is tried again, holding no slot; returns at once when the gate closes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), back_off_s(tried, retry_after))

    def _estimate(self, request: Request) -> int:
        if self._pacer is None:
            return 0
        return len(request.prompt) // 4 + request.sampling.max_tokens // 4

    def _succeeded(self, call: Call, completion: Completion) -> None:
        if self._pacer is not None:
            self._pacer.correct(call.estimate, completion.prompt_tokens + completion.completion_tokens)
        capacity = self._adaptive.succeeded()
        if capacity != self._slots.capacity:
            self._slots.resize(capacity)

    def _unused(self, call: Call) -> None:
        if self._pacer is not None:
            self._pacer.correct(call.estimate, 0)

    def _failed(self, call: Call, error: TransientModelError) -> None:
        self._unused(call)
        if not error.overload:
            return
        round_ = self._adaptive.round
        self._slots.resize(self._adaptive.overloaded(call.round))
        if error.retry_after is not None and self._adaptive.round != round_:
            # Only what halves the gate holds everybody up: a single 429 says nothing about the others (decision 0061).
            self._slots.pause(error.retry_after)


class Call:
    """One call in flight."""

    __slots__ = ("_gate", "estimate", "round")

    def __init__(self, gate: Gate, estimate: int, round_: int) -> None:
        self._gate = gate
        self.estimate = estimate
        self.round = round_

    def succeeded(self, completion: Completion) -> None:
        """Count the call as answered."""
        self._gate._succeeded(self, completion)

    def unused(self) -> None:
        """Nothing was asked after all."""
        self._gate._unused(self)

    def failed(self, error: TransientModelError) -> None:
        """Count the call as failed for a passing cause: overload narrows the gate, Retry-After pauses it."""
        self._gate._failed(self, error)
