"""Asking: the call cache's key, retries, the gate, money."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from evolver.calls.ask import MOST_TRIES, Asker, Budget, Origin, call_key
from evolver.calls.events import CallEnded, CallEvent, CallRetried
from evolver.calls.gate import Gate
from evolver.calls.limits import SlotsClosedError
from evolver.calls.prices import Price
from evolver.errors import BudgetError, RowModelError, RunModelError, TransientModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Request, Sampling

WHO = ModelIdentity("openai", "openai:m", "http://one/v1")
ASKED = Request("answer", "Name three rivers.", Sampling(), "1.1")
ORIGIN = Origin(1, 2, 3)


class Memory:
    """A call log in a dict."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    async def find(self, key: str) -> Mapping[str, Any] | None:
        return self.rows.get(key)

    def keep(self, row: dict[str, Any]) -> None:
        self.rows[row["key"]] = row


class Answers:
    """Gives the answers it was made with, one a call; an error among them is raised, the last one repeated."""

    def __init__(self, *answers: Completion | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def complete(self, request: Request) -> Completion:
        self.calls += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class EagerGate(Gate):
    """A gate whose back-off is told instead of waited for."""

    def __init__(self, limit: int = 4) -> None:
        super().__init__(limit)
        self.backed_off: list[tuple[int, float | None, int]] = []

    async def back_off(self, tried: int, retry_after: float | None) -> None:
        self.backed_off.append((tried, retry_after, self.in_flight))


def asker(model: Answers, gate: Gate, log: Memory, heard: list[CallEvent], **more: Any) -> Asker:
    budget = more.pop("budget", Budget(None))
    price = more.pop("price", Price(1.0, 2.0))
    return Asker(model, WHO, gate=gate, log=log, budget=budget, price=price, report=heard.append, **more)


@pytest.mark.parametrize(
    "other",
    [
        (replace(WHO, base_url="http://two/v1"), ASKED),
        (replace(WHO, name="openai:n"), ASKED),
        (replace(WHO, provider="anthropic"), ASKED),
        (replace(WHO, settings="temperature=0.2"), ASKED),
        (WHO, replace(ASKED, prompt="Name four rivers.")),
        (WHO, replace(ASKED, system="Be brief.")),
        (WHO, replace(ASKED, sample="1.2")),
        (WHO, replace(ASKED, sampling=Sampling(temperature=0.5))),
        (WHO, replace(ASKED, sampling=Sampling(top_p=None))),
        (WHO, replace(ASKED, sampling=Sampling(frequency_penalty=1.0))),
        (WHO, replace(ASKED, sampling=Sampling(max_tokens=7))),
    ],
)
def test_everything_that_shapes_a_completion_changes_its_key(other: tuple[ModelIdentity, Request]) -> None:
    assert call_key(*other) != call_key(WHO, ASKED)


def test_the_purpose_of_a_call_does_not_change_its_key() -> None:
    assert call_key(WHO, replace(ASKED, purpose="judge")) == call_key(WHO, ASKED)


def test_a_call_is_paid_for_once_and_served_afterwards() -> None:
    async def run() -> None:
        model, heard, log = Answers(Completion("The Rhine.", "stop", 10, 20)), list[CallEvent](), Memory()
        budget = Budget(None)
        ask = asker(model, Gate(4), log, heard, budget=budget)
        first = await ask.ask(ASKED, ORIGIN, 0)
        again = await ask.ask(ASKED, ORIGIN, 0)
        assert first == again
        assert model.calls == 1
        assert first.cost_usd == pytest.approx(50e-6)
        assert budget.spent == pytest.approx(50e-6)
        assert [event.cached for event in heard if isinstance(event, CallEnded)] == [False, True]
        (row,) = log.rows.values()
        assert (row["run_id"], row["root_id"], row["epoch"]) == (1, 2, 3)

    asyncio.run(run())


def test_a_refusal_comes_back_from_the_cache_as_a_refusal() -> None:
    async def run() -> None:
        refused = Completion("", "refusal", 1, 2, refusal="I would rather not.")
        ask = asker(Answers(refused), Gate(4), Memory(), [])
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion == refused
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion == refused

    asyncio.run(run())


def test_a_passing_failure_is_tried_again_and_holds_no_slot_while_it_waits() -> None:
    async def run() -> None:
        failures = [TransientModelError("500", "server_error"), TransientModelError("cut", "connection")]
        gate, heard = EagerGate(), list[CallEvent]()
        ask = asker(Answers(*failures, Completion("Yes.")), gate, Memory(), heard)
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion.text == "Yes."
        assert gate.backed_off == [(1, None, 0), (2, None, 0)]
        assert [event.kind for event in heard if isinstance(event, CallRetried)] == [
            "server_error",
            "connection",
        ]

    asyncio.run(run())


def test_a_request_that_fails_while_others_are_answered_fails_alone() -> None:
    async def run() -> None:
        log, gate = Memory(), EagerGate()
        model = Answers(TransientModelError("500", "server_error"))
        ask = asker(model, gate, log, [])
        lonely = asyncio.ensure_future(ask.ask(ASKED, ORIGIN, 0))
        gate.back_off = _answer_somebody(ask, model)  # type: ignore[method-assign]
        with pytest.raises(RowModelError, match=f"failed {MOST_TRIES} times") as failed:
            await lonely
        assert failed.value.kind == "server_error"

    asyncio.run(run())


def _answer_somebody(ask: Asker, model: Answers) -> Any:
    async def back_off(tried: int, retry_after: float | None) -> None:
        if tried == 1:
            failing, model.answers = model.answers, [Completion("Yes.")]
            await ask.ask(replace(ASKED, prompt="another"), ORIGIN, 0)
            model.answers = failing

    return back_off


def test_a_provider_that_answers_nobody_stops_the_run() -> None:
    async def run() -> None:
        model = Answers(TransientModelError("refused", "connection"))
        with pytest.raises(RunModelError, match="answers nobody"):
            await asker(model, EagerGate(), Memory(), []).ask(ASKED, ORIGIN, 0)
        assert model.calls == MOST_TRIES

    asyncio.run(run())


def test_an_overloaded_provider_is_waited_for_beyond_the_usual_tries() -> None:
    async def run() -> None:
        storm = [TransientModelError("429", "rate_limited", retry_after=0.0, overload=True)] * (
            3 * MOST_TRIES
        )
        ask = asker(Answers(*storm, Completion("At last.")), EagerGate(), Memory(), [])
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion.text == "At last."

    asyncio.run(run())


def test_overload_halves_the_calls_in_flight_and_answers_bring_them_back() -> None:
    async def run() -> None:
        gate = EagerGate(8)
        storm = TransientModelError("429", "rate_limited", overload=True)
        model = Answers(storm, Completion("Yes."))
        ask = asker(model, gate, Memory(), [])
        await ask.ask(ASKED, ORIGIN, 0)
        assert gate.capacity < 8
        for number in range(64):
            await ask.ask(replace(ASKED, prompt=str(number)), ORIGIN, 0)
        assert gate.capacity == 8

    asyncio.run(run())


def test_a_run_whose_every_request_is_refused_as_malformed_stops() -> None:
    async def run() -> None:
        model = Answers(RowModelError("unknown parameter", "bad_request"))
        ask = asker(model, Gate(4), Memory(), [])
        for number in range(19):
            with pytest.raises(RowModelError):
                await ask.ask(replace(ASKED, prompt=str(number)), ORIGIN, 0)
        with pytest.raises(RunModelError, match="each of the first 20 requests"):
            await ask.ask(ASKED, ORIGIN, 0)

    asyncio.run(run())


def test_no_call_starts_once_the_budget_is_spent() -> None:
    async def run() -> None:
        model = Answers(Completion("Yes.", "stop", 500_000, 0))
        ask = asker(model, Gate(4), Memory(), [], budget=Budget(1.0, spent=0.5))
        await ask.ask(ASKED, ORIGIN, 0)
        with pytest.raises(BudgetError, match=r"spent \$1\.00") as stopped:
            await ask.ask(replace(ASKED, prompt="more"), ORIGIN, 0)
        assert stopped.value.exit_code == 3
        assert model.calls == 1

    asyncio.run(run())


def test_a_closed_gate_lets_no_call_start_and_wakes_those_that_wait() -> None:
    async def run() -> None:
        gate, waiting = Gate(1), asyncio.Event()

        class Slow(Answers):
            async def complete(self, request: Request) -> Completion:
                waiting.set()
                await release.wait()
                return await super().complete(request)

        release = asyncio.Event()
        ask = asker(Slow(Completion("Yes.")), gate, Memory(), [])
        first = asyncio.ensure_future(ask.ask(ASKED, ORIGIN, 0))
        second = asyncio.ensure_future(ask.ask(replace(ASKED, prompt="other"), ORIGIN, 0))
        await waiting.wait()
        gate.close()
        with pytest.raises(SlotsClosedError):
            await second
        release.set()
        assert (await first).completion.text == "Yes."

    asyncio.run(run())


def test_a_call_that_never_returns_is_ended_by_the_time_limit_and_tried_again() -> None:
    async def run() -> None:
        class Hangs(Answers):
            async def complete(self, request: Request) -> Completion:
                if self.calls == 0:
                    self.calls += 1
                    await asyncio.Event().wait()
                return await super().complete(request)

        heard: list[CallEvent] = []
        ask = asker(Hangs(Completion("Yes.")), EagerGate(), Memory(), heard, timeout=0.01)
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion.text == "Yes."
        assert CallRetried("timeout") in heard

    asyncio.run(run())
