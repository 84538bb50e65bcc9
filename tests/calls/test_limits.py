from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.calls.limits import Adaptive, Pacer, Slots, SlotsClosedError


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def wait_for_slots(slots: Slots, order: list[int], *priorities: int) -> list[asyncio.Task[None]]:
    async def call(priority: int) -> None:
        await slots.acquire(priority)
        order.append(priority)

    return [asyncio.create_task(call(priority)) for priority in priorities]


def test_a_freed_slot_goes_to_the_lowest_number_and_equal_numbers_in_order_of_arrival() -> None:
    async def go() -> None:
        slots = Slots(1)
        order: list[str] = []

        async def call(priority: int, name: str) -> None:
            await slots.acquire(priority)
            order.append(name)
            slots.release()

        await slots.acquire(0)
        tasks = [
            asyncio.create_task(call(p, n)) for p, n in [(3, "c"), (1, "a1"), (2, "b"), (1, "a2"), (1, "a3")]
        ]
        await settle()
        assert (slots.in_flight, slots.waiting) == (1, 5)
        slots.release()
        await asyncio.gather(*tasks)
        assert order == ["a1", "a2", "a3", "b", "c"]
        assert (slots.in_flight, slots.waiting) == (0, 0)

    run(go())


def test_a_newcomer_does_not_overtake_a_waiter_of_lower_number() -> None:
    async def go() -> None:
        slots = Slots(1)
        order: list[int] = []
        await slots.acquire(0)
        tasks = wait_for_slots(slots, order, 1)
        await settle()
        slots.release()
        tasks += wait_for_slots(slots, order, 5)
        await settle()
        assert order == [1]
        slots.release()
        await asyncio.gather(*tasks)

    run(go())


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 3), st.sampled_from("arcsu")), max_size=40))
@example(1, [(0, "a"), (1, "a"), (0, "r"), (1, "c")])  # admitted and cancelled in the same turn
@example(1, [(0, "a"), (1, "a"), (2, "a"), (1, "c"), (0, "r")])  # the head is cancelled, the next one goes
def test_no_slot_is_ever_lost_or_given_twice(limit: int, steps: list[tuple[int, str]]) -> None:
    async def go() -> None:
        slots = Slots(limit)
        tasks: list[asyncio.Task[None]] = []
        held: list[asyncio.Task[None]] = []
        done = asyncio.Event()

        async def call(priority: int) -> None:
            await slots.acquire(priority)
            try:
                me = asyncio.current_task()
                assert me is not None
                held.append(me)
                assert slots.in_flight <= limit
                await done.wait()
            finally:
                slots.release()

        for number, step in steps:
            if step == "a":
                tasks.append(asyncio.create_task(call(number)))
            elif step == "r" and held:
                held.pop(0).cancel()
            elif step == "c" and tasks:
                tasks[number % len(tasks)].cancel()
            elif step == "s":
                slots.resize(number)
            else:
                await settle()
        slots.resize(limit)
        done.set()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert (slots.in_flight, slots.waiting) == (0, 0)

    run(go())


def test_narrowing_lets_calls_finish_and_admits_nobody_until_there_is_room() -> None:
    async def go() -> None:
        slots = Slots(4)
        for _ in range(4):
            await slots.acquire(0)
        slots.resize(2)
        order: list[int] = []
        (task,) = wait_for_slots(slots, order, 1)
        for left in (3, 2):
            slots.release()
            await settle()
            assert (slots.in_flight, order) == (left, [])
        slots.release()
        await task
        assert slots.in_flight == 2

    run(go())


@pytest.mark.parametrize(("asked", "given_"), [(-3, 1), (0, 1), (1, 1), (8, 8), (9, 8)])
def test_capacity_stays_between_1_and_the_limit(asked: int, given_: int) -> None:
    slots = Slots(8)
    slots.resize(asked)
    assert slots.capacity == given_


def test_a_limit_below_1_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Slots(0)


def test_widening_admits_who_waits() -> None:
    async def go() -> None:
        slots = Slots(3)
        slots.resize(1)
        await slots.acquire(0)
        order: list[int] = []
        tasks = wait_for_slots(slots, order, 2, 1)
        await settle()
        assert order == []
        slots.resize(3)
        await asyncio.gather(*tasks)
        assert order == [1, 2]

    run(go())


def test_during_a_pause_no_call_starts_and_no_slot_is_held_and_afterwards_all_go_by_priority() -> None:
    async def go() -> None:
        clock = Clock()
        slots = Slots(4, clock=clock)
        slots.pause(30)
        slots.pause(10)  # the longer pause stands
        order: list[int] = []
        tasks = wait_for_slots(slots, order, 2, 0, 1)
        await settle()
        assert (slots.in_flight, slots.waiting) == (0, 3)
        clock.now += 29.9
        slots.wake()
        await settle()
        assert order == []
        clock.now += 0.2
        slots.wake()
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2]

    run(go())


def test_a_pause_ends_by_itself() -> None:
    async def go() -> None:
        slots = Slots(1)
        slots.pause(0.01)
        await asyncio.wait_for(slots.acquire(0), 10)

    run(go())


def test_a_pause_while_all_slots_are_taken_holds_back_the_next_call() -> None:
    async def go() -> None:
        clock = Clock()
        slots = Slots(1, clock=clock)
        await slots.acquire(0)
        order: list[int] = []
        (task,) = wait_for_slots(slots, order, 0)
        await settle()
        slots.pause(5)
        slots.release()
        await settle()
        assert (order, slots.in_flight) == ([], 0)
        clock.now += 5
        slots.wake()
        await task

    run(go())


def test_closing_sends_away_who_waits_and_who_comes_and_lets_calls_in_flight_finish() -> None:
    async def go() -> None:
        slots = Slots(1)
        await slots.acquire(0)
        waiting = asyncio.create_task(slots.acquire(1))
        await settle()
        slots.close()
        with pytest.raises(SlotsClosedError):
            await waiting
        with pytest.raises(SlotsClosedError):
            await slots.acquire(0)
        slots.release()
        assert slots.in_flight == 0

    run(go())


def test_a_waiter_cancelled_in_the_turn_that_closes_gives_back_nothing_it_never_had() -> None:
    async def go() -> None:
        slots = Slots(1)
        await slots.acquire(0)
        waiting = asyncio.create_task(slots.acquire(1))
        await settle()
        slots.close()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert slots.in_flight == 1

    run(go())


def started(pacer: Pacer, clock: Clock, seconds: float, tokens: int = 0) -> int:
    """How many calls start within ``seconds`` when as many as can do."""
    end, calls = clock.now + seconds, 0
    while True:
        clock.now = max(clock.now, pacer.ready_at())
        if clock.now > end:
            return calls
        pacer.take(tokens)
        calls += 1


@pytest.mark.parametrize("rpm", [6, 60, 500, 10_000])
def test_a_minute_brings_the_requests_asked_for_and_at_most_a_second_s_worth_more(rpm: int) -> None:
    clock = Clock()
    calls = started(Pacer(rpm, clock=clock), clock, 60)
    assert rpm <= calls <= rpm + rpm / 60 + 2


def test_a_minute_brings_the_tokens_asked_for_whatever_a_call_takes() -> None:
    clock = Clock()
    calls = started(Pacer(tpm=60_000, clock=clock), clock, 60, tokens=1500)
    assert 60_000 <= calls * 1500 <= 60_000 + 1000 + 2 * 1500


def test_one_call_that_takes_more_than_a_minute_of_tokens_starts_and_the_next_one_waits() -> None:
    clock = Clock()
    pacer = Pacer(tpm=1000, clock=clock)
    assert pacer.ready_at() <= clock.now
    pacer.take(3000)
    assert pacer.ready_at() == pytest.approx(clock.now - 1 + 180)


def test_an_estimate_is_put_right_after_the_call() -> None:
    clock = Clock()
    pacer = Pacer(tpm=60, clock=clock)
    pacer.take(100)
    before = pacer.ready_at()
    pacer.correct(100, 30)
    assert pacer.ready_at() == pytest.approx(before - 70)
    pacer.correct(30, 90)
    assert pacer.ready_at() == pytest.approx(before - 10)


def test_the_slots_keep_the_pace_and_the_order() -> None:
    async def go() -> None:
        clock = Clock()
        slots = Slots(8, pacer=Pacer(rpm=60, clock=clock), clock=clock)
        order: list[int] = []
        tasks = wait_for_slots(slots, order, 4, 3, 2, 1)
        await settle()
        assert order == [4, 3]  # one for now, one saved up in the second before; both came first
        for expected in ([4, 3, 1], [4, 3, 1, 2]):
            clock.now += 1
            slots.wake()
            await settle()
            assert order == expected
        await asyncio.gather(*tasks)

    run(go())


def test_an_eighth_of_a_round_overloaded_halves_the_concurrency_and_less_does_not() -> None:
    adaptive = Adaptive(64)
    for _ in range(7):
        assert adaptive.overloaded(adaptive.round) == 64
    assert adaptive.overloaded(adaptive.round) == 32


def test_overloads_of_calls_under_way_at_the_last_halving_do_not_halve_again() -> None:
    adaptive = Adaptive(64)
    before = adaptive.round
    for _ in range(64):
        adaptive.overloaded(before)
    assert adaptive.capacity == 32
    for _ in range(4):
        adaptive.overloaded(adaptive.round)
    assert adaptive.capacity == 16


def test_overloads_spread_thinly_over_many_rounds_never_halve() -> None:
    adaptive = Adaptive(64)
    for outcome in range(10_000):
        if outcome % 20:
            adaptive.succeeded()
        else:
            adaptive.overloaded(adaptive.round)
    assert adaptive.capacity == 64


@given(st.integers(1, 100), st.lists(st.booleans(), max_size=400))
@example(1, [False] * 10)
@example(64, [False] * 400)
def test_the_concurrency_never_leaves_1_to_the_limit(limit: int, outcomes: list[bool]) -> None:
    adaptive = Adaptive(limit)
    for good in outcomes:
        adaptive.succeeded() if good else adaptive.overloaded(adaptive.round)
        assert 1 <= adaptive.capacity <= limit


@pytest.mark.parametrize("latency", [0.1, 1.0])
def test_after_20_seconds_of_nothing_but_429_all_64_slots_are_back_within_30_seconds(latency: float) -> None:
    """Simulated: calls of one latency, a server that refuses all of them from second 5 to 25, retry-after 1."""
    adaptive = Adaptive(64)
    now, opens_at, lowest = 0.0, 0.0, 64
    in_flight: list[tuple[float, int]] = []
    while now < 25 or adaptive.capacity < 64:
        while len(in_flight) < adaptive.capacity and now >= opens_at:
            heapq.heappush(in_flight, (now + latency, adaptive.round))
        if len(in_flight) < adaptive.capacity and (not in_flight or opens_at < in_flight[0][0]):
            now = opens_at
            continue
        now, began_in = heapq.heappop(in_flight)
        if 5 <= now < 25:
            adaptive.overloaded(began_in)
            opens_at = now + 1
        else:
            adaptive.succeeded()
        lowest = min(lowest, adaptive.capacity)

    assert lowest == 1
    assert now <= 55


def test_a_waiter_admitted_and_cancelled_in_the_same_turn_gives_its_slot_back() -> None:
    async def go() -> None:
        slots = Slots(1)
        await slots.acquire(0)
        waiting = asyncio.create_task(slots.acquire(1))
        await settle()
        slots.release()
        assert slots.in_flight == 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert slots.in_flight == 0

    run(go())
