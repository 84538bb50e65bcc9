"""A budget over restarts: what was in flight counts, and work that is paid for in part comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from evolver.calls.budget import Allowance, Budget
from evolver.calls.forecast import Forecast
from evolver.calls.gate import Gate
from evolver.calls.key import Origin
from evolver.calls.ledger import Ledger
from evolver.calls.lookups import Lookups, Rows
from evolver.calls.prices import Price
from evolver.calls.unanswered import Unanswered
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Request, Sampling
from evolver_store.connect import open_for_writing
from evolver_store.connect import store_url as parsed
from evolver_store.runs import Run, get_run, insert_run
from tests.calls.asking import make_asker


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_for_writing(parsed(store_url))
    fields = {"name": "r", "settings": {"kept": [1]}, "pool": "p", "pool_sha256": "x", "epochs": 4, "seed": 0}
    with engine.begin() as conn:
        insert_run(conn, {**fields, "model": "m", "evolver_version": "0"})
    yield engine
    engine.dispose()


def _run(engine: Engine) -> Run:
    with engine.connect() as conn:
        return get_run(conn, "r", "store")


def test_work_that_is_paid_for_in_part_is_let_in_before_new_work() -> None:
    async def run() -> list[str]:
        budget, let_in = Budget(1.0), []
        first = Allowance(("evolve", "judge", "answer"))
        await budget.open(first, lambda: 0.9, 3)

        async def work(name: str, calls: int) -> None:
            allowance = Allowance(("evolve", "judge", "answer"))
            await budget.open(allowance, lambda: 0.6, calls)
            let_in.append(name)
            budget.give_back(allowance)

        waiting = [
            asyncio.create_task(work(*each)) for each in (("new", 3), ("answer left", 1), ("two left", 2))
        ]
        await asyncio.sleep(0)
        first.close()
        await asyncio.gather(*waiting)
        return let_in

    assert asyncio.run(run()) == ["answer left", "two left", "new"]


def test_look_ups_are_idle_only_when_those_that_follow_from_answers_are_over() -> None:
    async def run() -> list[str]:
        seen: list[str] = []

        async def read(keys: object) -> Rows:
            await asyncio.sleep(0)
            return {}

        lookups = Lookups(read)

        async def two() -> None:
            await lookups.find("a")
            await lookups.find("b")
            seen.append("looked up")

        task = asyncio.create_task(two())
        await asyncio.sleep(0)
        await lookups.idle()
        seen.append("idle")
        await task
        return seen

    assert asyncio.run(run()) == ["looked up", "idle"]


def test_a_call_starts_only_when_it_is_on_disk_that_it_may_be_in_flight() -> None:
    async def run() -> None:
        budget, written, noted = Budget(1.0), asyncio.Event(), []

        async def note(usd: float) -> None:
            noted.append(usd)
            await written.wait()

        budget.note = note
        calls = [asyncio.create_task(budget.reserve(Allowance(), 0.01, 0.01)) for _ in range(4)]
        for _ in range(3):
            await asyncio.sleep(0)
        assert not any(call.done() for call in calls)
        written.set()
        made = await asyncio.gather(*calls)
        assert noted[-1] >= 0.04
        writes = len(noted)
        budget.settle(made[0], 0.01)
        await budget.reserve(Allowance(), 0.01, 0.01)
        assert len(noted) == writes  # as much as that was in flight before

    asyncio.run(run())


def test_what_is_on_disk_says_less_when_much_less_is_in_flight() -> None:
    async def run() -> list[float]:
        budget, noted = Budget(1.0), []

        async def note(usd: float) -> None:
            noted.append(usd)

        budget.note = note
        made = [await budget.reserve(Allowance(), 0.1, 0.1) for _ in range(4)]
        for one in made[1:]:
            budget.settle(one, 0.01)
            await asyncio.sleep(0)
        return noted

    noted = asyncio.run(run())
    assert max(noted) >= 0.4
    assert 0.1 <= noted[-1] <= 0.2


def test_a_call_whose_money_cannot_be_noted_is_not_in_flight() -> None:
    async def run() -> None:
        budget = Budget(1.0)

        async def note(usd: float) -> None:
            raise OSError("no room")

        budget.note = note
        with pytest.raises(OSError, match="no room"):
            await budget.reserve(Allowance(), 0.5, 0.5)
        assert not budget.in_flight

    asyncio.run(run())


def test_what_was_in_flight_when_a_run_was_killed_counts_as_spent_for_good(engine: Engine) -> None:
    async def session(in_flight: float, *, killed: bool) -> tuple[float, float]:
        ledger = Ledger(engine)
        unanswered = Unanswered(ledger, _run(engine))
        await unanswered.note(in_flight)
        if not killed:
            await unanswered.end()
        await ledger.aclose()
        return unanswered.killed, unanswered.lost

    told = [
        asyncio.run(session(usd, killed=killed)) for usd, killed in ((0.3, True), (0.2, True), (0.1, False))
    ]
    told.append(asyncio.run(session(0.1, killed=False)))
    assert told == [(0.0, 0.0), (0.3, 0.3), (0.2, 0.5), (0.0, 0.5)]
    assert _run(engine).settings["kept"] == [1]


def test_a_call_that_is_given_up_in_flight_counts_as_what_it_probably_cost(engine: Engine) -> None:
    async def run() -> None:
        class Slow:
            begun = asyncio.Event()

            async def complete(self, request: Request) -> Completion:
                self.begun.set()
                await asyncio.Event().wait()
                raise AssertionError

        ledger = Ledger(engine)
        price = Price(10.0, 30.0)
        budget, model = Budget(1.0), Slow()
        asker = make_asker(
            model, ModelIdentity("openai", "openai:m"), gate=Gate(1), log=ledger, budget=budget, price=price
        )
        lost: list[float] = []
        asker.common.on_loss = lost.append
        asking = asyncio.create_task(
            asker.ask(Request("answer", "p", Sampling(), "s"), Origin(1, None, None), 0)
        )
        await model.begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await ledger.aclose()
        assert lost == [budget.spent]
        assert budget.spent > 0

    asyncio.run(run())


def test_what_comes_from_the_store_tells_what_calls_cost(engine: Engine) -> None:
    class Model:
        async def complete(self, request: Request) -> Completion:
            return Completion("yes", "stop", 10, 20)

    async def session() -> float:
        ledger = Ledger(engine)
        await ledger.learn_calls()
        forecast = Forecast({"answer": Price(10.0, 30.0)})
        who = ModelIdentity("openai", "openai:m")
        asker = make_asker(Model(), who, gate=Gate(4), log=ledger, forecast=forecast)
        asked = [Request("answer", f"p{number}", Sampling(), "s") for number in range(20)]
        await asyncio.gather(*(asker.ask(each, Origin(1, None, None), 0) for each in asked))
        await ledger.aclose()
        return forecast.likely(asked[0])

    assert asyncio.run(session()) == asyncio.run(session())
