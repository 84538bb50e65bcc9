"""How many calls are in flight, and which comes next: slots by priority, a concurrency that adapts, a pace.

Three small objects. :class:`Slots` is the gate every call passes; :class:`Adaptive` says how wide it is;
:class:`Pacer` says when the next call may start. Clocks are injected and only ever read, so all of it can be
tested without time passing.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable


class Pacer:
    """Requests and tokens per minute, spread evenly: a burst is at most what ``burst_s`` seconds bring.

    A bucket that holds a whole minute lets twice the limit through in its first minute, and the provider counts;
    so this one holds a second's worth, and always lets at least one call start. Tokens are estimated before a
    call and put right after it.

    Args:
        rpm: Requests a minute; ``None`` for no limit.
        tpm: Tokens a minute, prompt and completion together; ``None`` for no limit.
        burst_s: How many seconds' worth may be saved up.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        rpm: float | None = None,
        tpm: float | None = None,
        *,
        burst_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request_s = 60.0 / rpm if rpm else 0.0
        self._token_s = 60.0 / tpm if tpm else 0.0
        self._burst_s = burst_s
        self._clock = clock
        self._requests_at = self._tokens_at = -math.inf

    def ready_at(self) -> float:
        """The earliest moment, on the clock, at which another call may start."""
        return max(self._requests_at, self._tokens_at)

    def take(self, tokens: int) -> None:
        """Count a call that starts now and is expected to take ``tokens``."""
        earliest = self._clock() - self._burst_s
        self._requests_at = max(self._requests_at, earliest) + self._request_s
        self._tokens_at = max(self._tokens_at, earliest) + self._token_s * tokens

    def correct(self, estimated: int, actual: int) -> None:
        """Replace an estimate by what the call took; 0 for one that failed before it was counted."""
        self._tokens_at += self._token_s * (actual - estimated)


class SlotsClosedError(Exception):
    """No more calls start: the run is stopping. Control flow of the engine, never shown to anybody."""


class Slots:
    """At most ``limit`` calls in flight; a freed slot goes to the lowest priority number that waits.

    Equal numbers go first come, first served. A pause or the pacer stops everybody: the waiters keep their order,
    hold no slot, and are let in by one timer. A cancelled waiter neither keeps a slot nor swallows one. For one
    event loop; nothing here is thread-safe.

    Args:
        limit: The most calls ever in flight, at least 1.
        pacer: When calls may start; ``None`` for at once.
        clock: Seconds that only grow; the same as the pacer's.
    """

    __slots__ = (
        "_clock",
        "_closed",
        "_opens_at",
        "_order",
        "_pacer",
        "_timer",
        "_waiters",
        "capacity",
        "in_flight",
        "limit",
    )

    def __init__(
        self, limit: int, *, pacer: Pacer | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        self.limit = limit
        self.capacity = limit
        self.in_flight = 0
        self._pacer = pacer
        self._clock = clock
        self._closed = False
        self._opens_at = -math.inf
        self._order = 0
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[tuple[int, int, int, asyncio.Future[None]]] = []

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        return sum(not waiter.done() for *_, waiter in self._waiters)

    async def acquire(self, priority: int, tokens: int = 0) -> None:
        """Wait for a slot; every return needs one :meth:`release`. ``tokens`` is the estimate the pacer counts.

        Raises:
            SlotsClosedError: The slots are closed, or were while this waited.
        """
        if self._closed:
            raise SlotsClosedError
        if not self._waiters and self.in_flight < self.capacity and self._open():
            self._admit(tokens)
            return
        waiter = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._waiters, (priority, self._order, tokens, waiter))
        self.wake()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release()  # admitted and cancelled in the same turn of the loop
            raise

    def release(self) -> None:
        """Give a slot back."""
        self.in_flight -= 1
        if self._waiters:
            self.wake()

    def close(self) -> None:
        """Let nobody in any more: who waits is sent away, who is in may finish."""
        self._closed = True
        for *_, waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(SlotsClosedError())
        self._waiters.clear()
        if self._timer is not None:
            self._timer.cancel()

    def resize(self, capacity: int) -> None:
        """Widen or narrow the gate, between 1 and ``limit``; calls in flight are never cut off."""
        self.capacity = min(max(1, capacity), self.limit)
        self.wake()

    def pause(self, seconds: float) -> None:
        """Let no call start for ``seconds`` from now; an earlier, longer pause stands."""
        self._opens_at = max(self._opens_at, self._clock() + seconds)

    def wake(self) -> None:
        """Let in whoever may go now, and set the timer for the rest. The timer calls this; so may a test's."""
        waiters = self._waiters
        while waiters and self.in_flight < self.capacity:
            *_, tokens, waiter = waiters[0]
            if waiter.done():
                heapq.heappop(waiters)
                continue
            if not self._open():
                self._set_timer()
                return
            heapq.heappop(waiters)
            self._admit(tokens)
            waiter.set_result(None)

    def _open(self) -> bool:
        if self._pacer is None and self._opens_at == -math.inf:
            return True
        return self._ready_at() <= self._clock()

    def _ready_at(self) -> float:
        return self._opens_at if self._pacer is None else max(self._opens_at, self._pacer.ready_at())

    def _admit(self, tokens: int) -> None:
        self.in_flight += 1
        if self._pacer is not None:
            self._pacer.take(tokens)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        delay = max(0.0, self._ready_at() - self._clock())
        self._timer = asyncio.get_running_loop().call_later(delay, self.wake)


class Adaptive:
    """Additive increase, multiplicative decrease of the concurrency, between 1 and ``limit``.

    Once an eighth of a round of calls (as many as there are slots) has met 429 or overload, the capacity is
    halved; calls that were under way at the last halving then say nothing new. The threshold is for
    providers that turn single calls away whatever the concurrency; in a storm it is reached at once (decision 0061).
    Successes widen it by one each up to an eighth of the limit and by one per an eighth of the limit
    beyond, so 64 slots that a storm has closed down to 1 are back after some 20 rounds of calls.

    Give the :attr:`round` in which a call began back with its overload.
    """

    __slots__ = ("_outcomes", "_overloads", "_step", "_successes", "capacity", "limit", "round")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.capacity = limit
        self.round = 0
        self._step = max(1, limit // 8)
        self._successes = 0
        self._outcomes = 0
        self._overloads = 0

    def overloaded(self, started_in: int) -> int:
        """A call that began in round ``started_in`` met 429 or overload; returns the capacity from now on."""
        if started_in != self.round:
            return self.capacity
        self._overloads += 1
        if self._overloads * 8 >= self.capacity:
            self.capacity = max(1, self.capacity // 2)
            self.round += 1
            self._successes = self._outcomes = self._overloads = 0
        else:
            self._count()
        return self.capacity

    def succeeded(self) -> int:
        """A call was answered; returns the capacity from now on."""
        self._count()
        if self.capacity < self.limit:
            self._successes += 1
            if self._successes >= (1 if self.capacity < self._step else self._step):
                self._successes = 0
                self.capacity += 1
        return self.capacity

    def _count(self) -> None:
        self._outcomes += 1
        if self._outcomes >= self.capacity:
            self._outcomes = self._overloads = 0
