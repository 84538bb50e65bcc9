"""Slots, money and patience: what one call may do to the others, and they to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from evolver.calls.ask import Asker
from evolver.calls.budget import Budget
from evolver.calls.gate import Gate
from evolver.calls.health import MOST_TRIES
from evolver.calls.key import Origin
from evolver.calls.limits import SlotsClosedError
from evolver.calls.prices import Price, is_sold, price_for
from evolver.errors import BudgetError, ModelError, RowModelError, RunModelError, TransientModelError
from evolver.models.factory import identify, identity, make_model
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Request, Sampling
from tests.calls.asking import Alone, make_asker

REQUEST = Request("evolve", "Why?", Sampling(), "1.1")
LIMITED = TransientModelError("429", "rate_limited", retry_after=3600.0, overload=True)
BUSY = TransientModelError("429", "rate_limited", retry_after=0.0, overload=True)
BROKEN = TransientModelError("500", "server_error", retry_after=0.0)
UNREACHED = TransientModelError("refused", "connection", retry_after=0.0)


class Nothing(Alone):
    """A log that keeps nothing."""

    async def find(self, key: str) -> Mapping[str, Any] | None:
        return None

    def keep(self, row: dict[str, Any]) -> None:
        pass


class Scripted:
    """Answers each call with what ``reply`` returns for its number, from 1."""

    def __init__(self, reply: Callable[[int], Completion | ModelError]) -> None:
        self.reply = reply
        self.calls = 0

    async def complete(self, request: Request) -> Completion:
        self.calls += 1
        answer = self.reply(self.calls)
        await asyncio.sleep(0)  # a real call lets others run
        if isinstance(answer, ModelError):
            raise answer
        return answer


def asker(
    model: Any, gate: Gate, budget: Budget | None = None, clock: Callable[[], float] | None = None
) -> Asker:
    who = ModelIdentity("scripted", "scripted/1")
    price = Price(1_000_000.0, 0.0)  # a dollar a token
    return make_asker(model, who, gate=gate, log=Nothing(), budget=budget, price=price, clock=clock)


def ask(one: Asker, number: int = 1) -> Coroutine[Any, Any, Any]:
    return one.ask(replace(REQUEST, prompt=f"Why {number}?"), Origin(1, None, None), number)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def meet(gate: Gate, error: TransientModelError) -> None:
    with pytest.raises(TransientModelError):
        async with gate.slot(1, REQUEST):
            raise error


async def is_open(gate: Gate) -> bool:
    async def enter() -> None:
        async with gate.slot(1, REQUEST):
            pass

    entering = asyncio.ensure_future(enter())
    await settle()
    done = entering.done()
    entering.cancel()
    await asyncio.gather(entering, return_exceptions=True)
    return done


def test_a_single_429_holds_up_no_other_call() -> None:
    async def go() -> None:
        gate = Gate(64)
        for _ in range(7):
            await meet(gate, LIMITED)
        assert (await is_open(gate), gate._slots.capacity) == (True, 64)

    asyncio.run(go())


def test_once_an_eighth_of_a_round_met_429_everybody_waits_as_long_as_the_provider_asks() -> None:
    async def go() -> None:
        gate = Gate(64)
        for _ in range(8):
            await meet(gate, LIMITED)
        assert (await is_open(gate), gate._slots.capacity) == (False, 32)

    asyncio.run(go())


def test_an_error_that_is_no_overload_pauses_nobody_whatever_it_asks_for() -> None:
    async def go() -> None:
        gate = Gate(1)
        await meet(gate, TransientModelError("500", "server_error", retry_after=3600.0))
        assert await is_open(gate)

    asyncio.run(go())


def test_a_call_told_to_wait_gives_up_waiting_when_the_run_stops() -> None:
    async def go() -> None:
        gate = Gate(4)
        waiting = asyncio.ensure_future(gate.back_off(1, 3600.0))
        await settle()
        assert not waiting.done()
        gate.close()
        await waiting

    asyncio.run(go())


def test_a_slot_handed_on_by_the_call_that_stops_the_run_asks_nobody() -> None:
    async def go() -> None:
        gate = Gate(1)
        model = Scripted(lambda number: RunModelError("401"))
        one = asker(model, gate)

        async def first() -> None:
            try:
                await ask(one, 1)
            except RunModelError:
                gate.close()

        async def second() -> None:
            with pytest.raises(SlotsClosedError):
                await ask(one, 2)

        await asyncio.gather(first(), second())
        assert (model.calls, gate.in_flight) == (1, 0)

    asyncio.run(go())


def test_a_call_that_waited_for_its_slot_while_the_money_ran_out_is_not_made() -> None:
    async def go() -> None:
        budget = Budget(50.0)
        model = Scripted(lambda number: Completion("Because.", "stop", 50, 0))
        one = asker(model, Gate(1), budget)
        outcomes = await asyncio.gather(*(ask(one, number) for number in range(4)), return_exceptions=True)
        assert [isinstance(outcome, BudgetError) for outcome in outcomes] == [False, True, True, True]
        assert (model.calls, budget.spent) == (1, 50.0)

    asyncio.run(go())


def test_want_of_capacity_does_not_use_up_the_tries_of_a_call() -> None:
    replies = [BUSY] * 20 + [BROKEN] * (MOST_TRIES - 1) + [BUSY] * 20
    model = Scripted(lambda number: replies[number - 1] if number <= len(replies) else Completion("At last."))

    async def go() -> str:
        answer = await ask(asker(model, Gate(4)))
        return str(answer.completion.text)

    assert asyncio.run(go()) == "At last."


def test_the_last_request_of_a_run_that_always_breaks_the_server_fails_alone() -> None:
    model = Scripted(lambda number: BROKEN if number <= MOST_TRIES else Completion("ready"))
    with pytest.raises(RowModelError, match="failed 8 times") as failed:
        asyncio.run(ask(asker(model, Gate(4))))
    assert failed.value.kind == "server_error"


@pytest.mark.parametrize("error", [BROKEN, UNREACHED])
def test_a_server_that_went_down_after_good_answers_stops_the_run_and_fails_no_row(
    error: TransientModelError,
) -> None:
    async def go() -> list[type[BaseException] | None]:
        gate = Gate(4)
        seconds = count()
        model = Scripted(lambda number: Completion("Yes.") if number < 10 else error)
        one = asker(model, gate, clock=lambda: float(next(seconds)))

        async def attempt(number: int) -> type[BaseException] | None:
            try:
                await ask(one, number)
            except (ModelError, SlotsClosedError) as problem:
                gate.close()
                return type(problem)
            return None

        return await asyncio.gather(*(attempt(number) for number in range(30)))

    assert set(asyncio.run(go())) == {None, RunModelError, SlotsClosedError}


@pytest.mark.parametrize(
    ("spec", "base_url"),
    [
        ("openai:gpt-4.1-mini", None),
        ("llama3:8b", "http://localhost:11434/v1"),
        ("anthropic:claude-haiku-3-5", None),
        ("Anthropic:claude-haiku-3-5", "http://localhost:1"),
        ("offline", None),
    ],
)
def test_a_model_is_known_before_it_is_made(spec: str, base_url: str | None) -> None:
    assert identify(spec, base_url=base_url) == identity(make_model(spec, base_url=base_url))


@pytest.mark.parametrize(
    ("variable", "spec"), [("OPENAI_BASE_URL", "openai:x"), ("ANTHROPIC_BASE_URL", "anthropic:x")]
)
def test_an_address_from_the_environment_is_known_too(
    variable: str, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9/some/path")
    who = identify(spec)
    assert who == identity(make_model(spec))
    assert not is_sold(who)


@pytest.mark.parametrize(
    ("spec", "base_url", "sold"),
    [
        ("openai:gpt-99", None, True),
        ("anthropic:claude-99", None, True),
        ("mistralai:mistral-large", None, True),
        ("ollama:llama3", None, False),
        ("openai:mine", "http://localhost:8000/v1", False),
    ],
)
def test_a_provider_sells_and_a_server_of_ones_own_does_not(
    spec: str, base_url: str | None, sold: bool
) -> None:
    assert is_sold(identify(spec, base_url=base_url)) is sold


@pytest.mark.parametrize("host", ["localhost:8000", "10.0.0.7", "[::1]:80", "gpu-box"])
def test_an_address_without_a_domain_has_no_listed_price(host: str) -> None:
    assert price_for(ModelIdentity("openai", "openai:gpt-4.1-mini", f"http://{host}/v1")) is None
