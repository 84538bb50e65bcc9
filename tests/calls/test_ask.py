"""Asking: the call cache's key, retries, the gate, money."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from evolver.calls.ask import Answer, Asker
from evolver.calls.budget import Budget
from evolver.calls.events import CallEnded, CallEvent, CallRetried
from evolver.calls.gate import Gate
from evolver.calls.health import MOST_ALIKE, MOST_TRIES
from evolver.calls.key import Origin, call_key
from evolver.calls.limits import SlotsClosedError
from evolver.calls.prices import Price
from evolver.calls.waits import check_wait
from evolver.errors import BudgetError, RowModelError, RunModelError, TransientModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Request, Sampling
from tests.calls.asking import Alone, make_asker

WHO = ModelIdentity("openai", "openai:m", "http://one/v1")
ASKED = Request("answer", "Name three rivers.", Sampling(), "1.1")
ORIGIN = Origin(1, 2, 3)


class Memory(Alone):
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
    return make_asker(
        model, WHO, gate=gate, log=log, report=heard.append, **{"price": Price(1.0, 2.0), **more}
    )


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
        (WHO, replace(ASKED, sampling=Sampling(reasoning_effort="low"))),
        (WHO, replace(ASKED, sampling=Sampling(extra_body={"top_k": 20}))),
        (WHO, replace(ASKED, sampling=Sampling(extra_body={"top_k": 21}))),
    ],
)
def test_everything_that_shapes_a_completion_changes_its_key(other: tuple[ModelIdentity, Request]) -> None:
    assert call_key(*other) != call_key(WHO, ASKED)


def test_a_call_that_was_paid_for_long_ago_is_still_found_by_its_key() -> None:
    who = ModelIdentity("openai", "gpt-4.1-mini", "https://api.openai.com/v1")
    asked = Request("evolve", "Why is the “sky” blue?\n", Sampling(), "2.1")
    assert call_key(who, asked) == "8a59808c9860eb42d08781324738a657"
    assert (
        call_key(who, replace(asked, sampling=Sampling(temperature=1))) == "af9384c5fc403ce26ab1babead5bf466"
    )
    thinking = replace(
        asked, system="Think.", sampling=Sampling(reasoning_effort="low", extra_body={"top_k": 1})
    )
    assert call_key(who, thinking) == "a0fbf2bcbc7cfd36257caab418d0989e"


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
        if tried == MOST_TRIES - 1:
            failing, model.answers = model.answers, [Completion("Yes.")]
            await ask.ask(replace(ASKED, prompt="another"), ORIGIN, 0)
            model.answers = failing

    return back_off


def test_a_provider_that_answers_nobody_stops_the_run() -> None:
    async def run() -> None:
        model = Answers(TransientModelError("refused", "connection"))
        with pytest.raises(RunModelError, match="answers nobody"):
            await asker(model, EagerGate(), Memory(), []).ask(ASKED, ORIGIN, 0)
        assert model.calls == MOST_TRIES + 1  # the last one asks whether anybody is answered

    asyncio.run(run())


def test_the_same_page_for_every_request_stops_the_run_before_the_tries_are_used_up() -> None:
    async def run() -> None:
        model = Answers(TransientModelError("answered with no JSON: <html>", "malformed"))
        with pytest.raises(RunModelError, match=r"answers nobody.*<html>"):
            await asker(model, EagerGate(), Memory(), []).ask(ASKED, ORIGIN, 0)
        assert model.calls == MOST_ALIKE + 1  # the last one asks whether anybody is answered

    asyncio.run(run())


def test_a_request_that_met_the_same_page_thrice_is_asked_on_once_somebody_is_answered() -> None:
    async def run() -> None:
        page = TransientModelError("answered with no JSON: <html>", "malformed")
        model = Answers(*[page] * MOST_ALIKE, Completion("ready"), page, Completion("At last."))
        ask = asker(model, EagerGate(), Memory(), [])
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion.text == "At last."

    asyncio.run(run())


def test_an_overloaded_provider_is_waited_for_beyond_the_usual_tries() -> None:
    async def run() -> None:
        storm = [TransientModelError("429", "rate_limited", retry_after=0.0, overload=True)] * (
            3 * MOST_TRIES
        )
        ask = asker(Answers(*storm, Completion("At last.")), EagerGate(), Memory(), [])
        assert (await ask.ask(ASKED, ORIGIN, 0)).completion.text == "At last."

    asyncio.run(run())


def test_a_request_that_is_always_refused_for_want_of_capacity_while_others_are_answered_is_a_failed_row() -> (
    None
):
    """Some servers say so of a prompt that they cannot bear; the run must end all the same."""

    now = 0.0

    class OneIsTooMuch(Answers):
        async def complete(self, request: Request) -> Completion:
            nonlocal now
            self.calls += 1
            assert self.calls < 200, "it is asked for ever"
            now += 60.0
            if request.prompt == ASKED.prompt:
                raise TransientModelError("503", "overloaded", overload=True)
            return Completion("ready")

    async def run() -> int:
        model = OneIsTooMuch(Completion(""))
        ask = asker(model, EagerGate(), Memory(), [], clock=lambda: now)
        with pytest.raises(RowModelError, match=r"failed \d+ times, the last time: 503") as failed:
            await ask.ask(ASKED, ORIGIN, 0)
        assert failed.value.kind == "overloaded"
        return model.calls

    assert asyncio.run(run()) < 60


def test_overload_halves_the_calls_in_flight_and_answers_bring_them_back() -> None:
    async def run() -> None:
        gate = EagerGate(8)
        storm = TransientModelError("429", "rate_limited", overload=True)
        model = Answers(storm, Completion("Yes."))
        ask = asker(model, gate, Memory(), [])
        await ask.ask(ASKED, ORIGIN, 0)
        assert gate._slots.capacity < 8
        for number in range(64):
            await ask.ask(replace(ASKED, prompt=str(number)), ORIGIN, 0)
        assert gate._slots.capacity == 8

    asyncio.run(run())


def test_a_run_whose_first_request_is_refused_like_any_other_stops_with_the_providers_words() -> None:
    async def run() -> None:
        model = Answers(RowModelError("unknown parameter", "bad_request"))
        with pytest.raises(RunModelError, match=r"refuses every request.*unknown parameter"):
            await asker(model, Gate(4), Memory(), []).ask(ASKED, ORIGIN, 0)
        assert model.calls == 2

    asyncio.run(run())


def test_an_account_that_runs_empty_stops_the_run_and_fails_no_row() -> None:
    async def run() -> None:
        empty = RowModelError("Your credit balance is too low", "bad_request")
        model = Answers(*[Completion("Yes.")] * 5, empty)
        ask = asker(model, Gate(4), Memory(), [])
        asked = [ask.ask(replace(ASKED, prompt=str(number)), ORIGIN, 0) for number in range(40)]
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in done[:5]] == [Answer] * 5
        assert {type(one) for one in done[5:]} == {RunModelError}
        assert all("credit balance" in str(one) for one in done[5:])

    asyncio.run(run())


def test_a_request_that_is_refused_among_others_that_are_answered_fails_alone() -> None:
    async def run() -> None:
        class Picky(Answers):
            async def complete(self, request: Request) -> Completion:
                if request.prompt == "bad":
                    raise RowModelError("too odd", "bad_request")
                return await super().complete(request)

        ask = asker(Picky(Completion("Yes.")), Gate(4), Memory(), [])
        asked = [ask.ask(replace(ASKED, prompt=one), ORIGIN, 0) for one in ("bad", "good", "better")]
        bad, *good = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(bad, RowModelError)
        assert all(isinstance(one, Answer) for one in good)

    asyncio.run(run())


def test_the_last_requests_of_a_run_fail_alone_though_nobody_else_is_left_to_ask() -> None:
    async def run() -> None:
        class Broken(Answers):
            async def complete(self, request: Request) -> Completion:
                if request.prompt.startswith("bad"):
                    raise TransientModelError("500", "server_error")
                return await super().complete(request)

        model = Broken(Completion("Yes."))
        ask = asker(model, EagerGate(), Memory(), [])
        asked = [ask.ask(replace(ASKED, prompt=f"bad {number}"), ORIGIN, 0) for number in range(2)]
        assert [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == [
            RowModelError
        ] * 2
        assert model.calls <= 2  # one question for all, at most one for each

    asyncio.run(run())


def test_a_single_refusal_of_capacity_after_a_quiet_hour_is_no_outage() -> None:
    async def run() -> None:
        clock = [0.0]
        gate = EagerGate()
        model = Answers(Completion("Yes."))
        ask = asker(model, gate, Memory(), [])
        ask.common.health(WHO)._clock = lambda: clock[0]
        await ask.ask(ASKED, ORIGIN, 0)
        clock[0] = 3600.0
        model.answers = [TransientModelError("429", "rate_limited", overload=True), Completion("Yes.")]
        assert (await ask.ask(replace(ASKED, prompt="later"), ORIGIN, 0)).completion.text == "Yes."

    asyncio.run(run())


def test_a_wait_of_a_day_that_a_provider_asks_for_stops_the_run_at_once() -> None:
    async def run() -> None:
        model = Answers(TransientModelError("429", "rate_limited", retry_after=86_400.0, overload=True))
        with pytest.raises(RunModelError, match="asks to wait 24 h"):
            await asker(model, EagerGate(), Memory(), []).ask(ASKED, ORIGIN, 0)
        assert model.calls == 1

    asyncio.run(run())


def test_a_wait_within_ten_time_limits_is_told_with_its_end() -> None:
    told: list[str] = []
    check_wait(2_000.0, 300.0, "openai:m", told.append)
    check_wait(5.0, 300.0, "openai:m", told.append)
    assert len(told) == 1
    assert re.search(r"openai:m asks to wait 33\.3 min, until \d{4}-\d\d-\d\d \d\d:\d\d", told[0])


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
