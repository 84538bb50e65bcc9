"""The money of a run: set aside before a call starts, settled when it ends, so that the bound holds.

Two bounds, dollars and calls, are kept in the same way. Work that takes several calls opens an :class:`Allowance`
first: it is let in only when all of its calls can be afforded, so that a small budget buys whole rows and not the
first half of many. Each call then reserves what it will probably cost. It starts only if all calls in flight together
could fill their token limits without passing the budget by more than a fiftieth; the last one may go alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from evolver.calls.limits import SlotsClosedError
from evolver.errors import BudgetError
from evolver.models.protocol import Purpose

_AHEAD = 1.25  # times what is in flight, noted at once: it grows to its height in a few steps
_WORTH_WRITING = 0.01  # of the budget, by which what is on disk may say too much for long
SLACK = 0.02  # share of the budget that calls in flight may pass it by, if all of them come out longest


@dataclass(slots=True, eq=False)
class Allowance:
    """What is set aside for the calls that one piece of work has still to make.

    ``steps`` are the purposes it will ask for, in order; ``usd`` and ``calls`` what is left for them. Close it when the
    work is over: what is left goes to others.
    """

    steps: tuple[Purpose, ...] = ()
    usd: float = 0.0
    calls: int = 0
    budget: Budget | None = None

    def after(self, purpose: Purpose) -> tuple[Purpose, ...]:
        """Return the purposes that follow ``purpose``; none where it is no step of the work."""
        if purpose not in self.steps:
            return ()
        return self.steps[self.steps.index(purpose) + 1 :]

    def close(self) -> None:
        """Give back what is left."""
        if self.budget is not None:
            self.budget.give_back(self)


@dataclass(slots=True, eq=False)
class Reservation:
    """A call in flight, or a batch of them: what it will probably cost, and what it can."""

    likely: float
    most: float
    calls: int = 1
    live: bool = False


@dataclass(slots=True, eq=False)
class _Waiter:
    fits: Callable[[], bool]
    take: Callable[[], None]
    rank: int = 0
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Budget:
    """The dollars and calls that a run may take, has taken, and has set aside.

    Args:
        most: ``--max-cost``, or ``None`` for no bound.
        spent: What earlier sessions of the same run have spent.
        most_calls: ``--max-calls``, likewise.
        calls: What earlier sessions have made.
    """

    def __init__(
        self, most: float | None = None, spent: float = 0.0, *, most_calls: int | None = None, calls: int = 0
    ) -> None:
        self.most = most
        self.spent = spent
        self.most_calls = most_calls
        self.calls = calls
        self.on_wait: Callable[[], None] = lambda: None
        """Called when somebody begins to wait for room; a batcher counts who waits."""
        self._allowances: set[Allowance] = set()
        self._in_flight: set[Reservation] = set()
        self._aside = self._likely = self._worst = 0.0
        self._aside_calls = self._calls_in_flight = 0
        self._openers: deque[_Waiter] = deque()
        self._payers: deque[_Waiter] = deque()
        self._live = self._noted = 0.0
        self._noting: asyncio.Future[None] | None = None
        self.note: Callable[[float], Awaitable[None]] | None = None
        """Puts on disk how many dollars of calls may be in flight; such a call starts when that is done."""
        self._closed = False

    @property
    def bounded(self) -> bool:
        """Whether there is any bound to keep."""
        return self.most is not None or self.most_calls is not None

    @property
    def waiting(self) -> int:
        """Pieces of work that wait until they can be afforded."""
        return len(self._openers)

    @property
    def in_flight(self) -> bool:
        """Whether calls are in flight whose cost is not known yet."""
        return bool(self._in_flight)

    @property
    def room(self) -> float:
        """Dollars that calls may still be given, counting those in flight at what they probably cost."""
        return float("inf") if self.most is None else self.most - self.spent - self._likely

    def check(self) -> None:
        """Make sure that there is anything left to spend.

        Raises:
            BudgetError: There is not.
        """
        over = self.most is not None and self.spent >= self.most
        if over or (self.most_calls is not None and self.calls >= self.most_calls):
            raise self.error()

    async def open(self, allowance: Allowance, usd: Callable[[], float], calls: int) -> None:
        """Set dollars and calls aside for a piece of work; wait until there is room.

        Whoever has the fewest calls left is served first: work that was paid for in part comes before new work.

        ``usd`` is asked again and again while this waits: the calls of others show what they cost.

        Raises:
            BudgetError: There is not, and nothing is under way that could make some.
            SlotsClosedError: The run is stopping.
        """
        if allowance.budget is not None or not self.bounded:
            return

        def take() -> None:
            allowance.budget, allowance.usd, allowance.calls = self, usd(), calls
            self._allowances.add(allowance)
            self._aside += allowance.usd
            self._aside_calls += calls

        await self._turn(self._openers, _Waiter(lambda: self._can_open(usd(), calls), take, calls))

    def give_back(self, allowance: Allowance) -> None:
        """Close an allowance."""
        self._aside -= allowance.usd
        self._aside_calls -= allowance.calls
        allowance.usd, allowance.calls, allowance.budget = 0.0, 0, None
        self._allowances.discard(allowance)
        self._let_in()

    async def reserve(self, allowance: Allowance, likely: float, most: float) -> Reservation:
        """Set aside what a call will probably cost, from the allowance where that has it; wait while it cannot start.

        Raises:
            BudgetError: It would pass the budget, and nothing is in flight that could make room.
            SlotsClosedError: The run is stopping.
        """
        made = Reservation(likely, most, live=True)
        if self.bounded:
            await self._turn(
                self._payers,
                _Waiter(lambda: self._can_pay(likely, most), lambda: self._take(allowance, made)),
            )
        else:
            self._add(made)
        if self.most is not None and self.note is not None:
            try:
                await self._cover(self.note)
            except BaseException:
                self.settle(made, None, 0)
                raise
        return made

    async def _cover(self, note: Callable[[float], Awaitable[None]]) -> None:
        """See to it that what is in flight is on disk: a killed run cannot say what it had asked for."""
        if self._live > self._noted:
            self._write(note)
        if self._noting is not None:
            await asyncio.shield(self._noting)

    def _lower(self) -> None:
        """Put on disk that much less is in flight than it says there, without waiting for it."""
        if self.note is None or self.most is None or (self._noting is not None and not self._noting.done()):
            return
        if self._noted > 2 * self._live + _WORTH_WRITING * self.most:
            self._write(self.note)

    def _write(self, note: Callable[[float], Awaitable[None]]) -> None:
        self._noted = _AHEAD * self._live
        self._noting = asyncio.ensure_future(note(self._noted))
        self._noting.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # the next call raises it

    def hold(self, likely: float, calls: int, allowances: list[Allowance] | None = None) -> Reservation:
        """Set aside what a batch will probably cost, without waiting; it may be there already when a session begins."""
        made = Reservation(likely, likely, calls)
        for allowance in allowances or ():
            self._take_from(allowance, likely / max(1, calls), 1)
        self._add(made)
        return made

    def lose(self, reservation: Reservation) -> float:
        """Count a call that was given up in flight at what it probably cost; return that: the provider may bill it."""
        self.settle(reservation, reservation.likely, 0)
        return reservation.likely

    def settle(self, reservation: Reservation, usd: float | None, calls: int = 1) -> None:
        """Count what a call took, in place of what was set aside; 0 calls for one that failed for nothing."""
        self.spent += usd or 0.0
        self.calls += calls
        self._drop(reservation)
        self._let_in()
        self._lower()

    def settle_part(self, reservation: Reservation, usd: float | None) -> None:
        """Count one call of a batch."""
        self.spent += usd or 0.0
        self.calls += 1
        if reservation in self._in_flight:
            share = reservation.likely / max(1, reservation.calls)
            self._drop(reservation)
            reservation.likely -= share
            reservation.most -= share
            reservation.calls -= 1
            if reservation.calls > 0:
                self._add(reservation)
        self._let_in()

    def close(self) -> None:
        """Send everybody away who waits: the run is stopping."""
        self._closed = True
        self._refuse(self._openers, SlotsClosedError())
        self._refuse(self._payers, SlotsClosedError())

    def error(self) -> BudgetError:
        """Say that the budget is spent, or does not reach for what comes next."""
        if self.most_calls is not None and self.calls >= self.most_calls:
            return BudgetError(
                f"the run has made {self.calls:,} of the {self.most_calls:,} calls that --max-calls allows; it "
                "stopped, and what is paid for is stored. Run the same command with a larger --max-calls to go on."
            )
        if self.most is None:
            return BudgetError(
                f"the run has made {self.calls:,} calls, and --max-calls {self.most_calls} does not reach for the next "
                "row; it stopped, and what is paid for is stored. Run the same command with a larger one to go on."
            )
        left = "" if self.spent >= self.most else "; what is left does not reach for the next row"
        return BudgetError(
            f"the run has spent ${self.spent:.2f} of the ${self.most:.2f} that --max-cost allows{left}; it stopped, "
            "and what is paid for is stored. Run the same command with a larger --max-cost to go on."
        )

    def _can_open(self, usd: float, calls: int) -> bool:
        if self.most is not None and self.spent + self._likely + self._aside + usd > self.most:
            return False
        taken = self.calls + self._calls_in_flight + self._aside_calls
        return self.most_calls is None or taken + calls <= self.most_calls

    def _can_pay(self, likely: float, most: float) -> bool:
        if self.most_calls is not None and self.calls + self._calls_in_flight + 1 > self.most_calls:
            return False
        if self.most is None or self.spent + self._worst + most <= self.most * (1 + SLACK):
            return True
        return not self._in_flight and self.spent < self.most and self.spent + likely <= self.most

    def _take(self, allowance: Allowance, made: Reservation) -> None:
        self._take_from(allowance, made.likely, 1)
        self._add(made)

    def _take_from(self, allowance: Allowance, usd: float, calls: int) -> None:
        usd, calls = min(usd, allowance.usd), min(calls, allowance.calls)
        allowance.usd -= usd
        allowance.calls -= calls
        self._aside -= usd
        self._aside_calls -= calls

    def _add(self, made: Reservation) -> None:
        self._in_flight.add(made)
        self._live += made.likely * made.live
        self._likely += made.likely
        self._worst += made.most
        self._calls_in_flight += made.calls

    def _drop(self, reservation: Reservation) -> None:
        if reservation in self._in_flight:
            self._in_flight.discard(reservation)
            self._live -= reservation.likely * reservation.live
            self._likely -= reservation.likely
            self._worst -= reservation.most
            self._calls_in_flight -= reservation.calls
        if not self._in_flight:  # floating-point dust must not keep the last cent from being spent
            self._likely = self._worst = self._live = 0.0
        if not self._allowances:
            self._aside = 0.0

    async def _turn(self, queue: deque[_Waiter], waiter: _Waiter) -> None:
        if self._closed:
            raise SlotsClosedError
        if not queue and waiter.fits():
            waiter.take()
            return
        place = len(queue)
        while place and queue[place - 1].rank > waiter.rank:
            place -= 1
        queue.insert(place, waiter)
        self._let_in()
        if not waiter.done.done():
            self.on_wait()
        await waiter.done

    def _let_in(self) -> None:
        """Let in whoever fits now; send away who waits for room that nothing under way can make."""
        for queue in (self._payers, self._openers):
            while queue and (queue[0].done.done() or queue[0].fits()):
                waiter = queue.popleft()
                if not waiter.done.done():
                    waiter.take()
                    waiter.done.set_result(None)
        if self._payers and not self._in_flight:
            self._refuse(self._payers, self.error())
        if self._openers and not self._in_flight and not self._allowances:
            self._refuse(self._openers, self.error())

    @staticmethod
    def _refuse(queue: deque[_Waiter], error: Exception) -> None:
        while queue:
            waiter = queue.popleft()
            if not waiter.done.done():
                waiter.done.set_exception(error)
