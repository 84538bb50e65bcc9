"""Runs beside one another on one store: what one asks the other waits for, and nothing is paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from evolver.calls.ask import Asker
from evolver.calls.gate import Gate
from evolver.calls.key import Origin
from evolver.calls.ledger import Ledger
from evolver.calls.limits import SlotsClosedError
from evolver.errors import RowModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Request, Sampling
from evolver_store.claim import claimed
from evolver_store.connect import open_for_writing
from evolver_store.connect import store_url as parsed
from evolver_store.key_locks import key_locks
from evolver_store.schema import calls
from tests.calls.asking import make_asker

KEY = "ab" * 16
WHO = ModelIdentity("openai", "openai:m", base_url=None)


@pytest.fixture
def engine(store_url: str) -> Any:
    engine = open_for_writing(parsed(store_url))
    yield engine
    engine.dispose()


@asynccontextmanager
async def at_work(engine: Engine, store_url: str, run: str) -> AsyncIterator[Ledger]:
    """A run at work on the store, as a session makes it."""
    claim = claimed(parsed(store_url), run)
    await asyncio.to_thread(claim.__enter__)
    ledger = Ledger(engine, None, key_locks(parsed(store_url), run))
    try:
        await ledger.learn_calls()
        yield ledger
    finally:
        await ledger.aclose()
        await asyncio.to_thread(claim.__exit__, None, None, None)


class Model:
    """Answers when it is let to, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.error = error

    async def complete(self, request: Request) -> Completion:
        self.asked += 1
        self.begun.set()
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return Completion(f"answer to {request.prompt}", "stop", 1, 2)


def asker(model: Model, ledger: Ledger, gate: Gate | None = None) -> Asker:
    return make_asker(model, WHO, gate=gate or Gate(4), log=ledger)


def request(prompt: str = "p") -> Request:
    return Request("answer", prompt, Sampling(), "s")


def a_call(key: str, run_id: int = 1) -> dict[str, Any]:
    return {
        "key": key,
        "run_id": run_id,
        "root_id": None,
        "epoch": None,
        "purpose": "answer",
        "provider": "openai",
        "model": "openai:m",
        "completion": f"answer to {key}",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost_usd": 0.1,
        "latency_s": 0.1,
        "created_at": datetime.now(UTC),
        "reasoning": None,
        "reasoning_tokens": None,
    }


def test_what_two_runs_ask_at_the_same_moment_is_asked_once(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a, at_work(engine, store_url, "b") as b:
            await _see_each_other(a, b)
            first, second = Model(), Model()
            asking = asyncio.create_task(asker(first, a).ask(request(), Origin(1, None, None), 0))
            await first.begun.wait()
            gate = Gate(1)
            waiting = asyncio.create_task(asker(second, b, gate).ask(request(), Origin(2, None, None), 0))
            second.go.set()
            other = await asker(second, b, gate).ask(request("other"), Origin(2, None, None), 0)
            assert other.completion.text == "answer to other"  # who waits keeps no slot from the others
            first.go.set()
            texts = [(await each).completion.text for each in (asking, waiting)]
            assert texts == ["answer to p"] * 2
            assert (first.asked, second.asked) == (1, 1)

    asyncio.run(run())


def test_who_waits_asks_itself_when_the_other_has_failed(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a, at_work(engine, store_url, "b") as b:
            await _see_each_other(a, b)
            first, second = Model(RowModelError("no", "too_long")), Model()
            asking = asyncio.create_task(asker(first, a).ask(request(), Origin(1, None, None), 0))
            await first.begun.wait()
            other = asker(second, b)
            assert not await b.enter(other.key(request()))
            waiting = asyncio.create_task(b.answer(other.key(request())))
            await asyncio.sleep(0)
            first.go.set()
            second.go.set()
            with pytest.raises(RowModelError):
                await asking
            assert await waiting is None
            assert (await other.ask(request(), Origin(2, None, None), 0)).completion.text == "answer to p"

    asyncio.run(run())


def test_what_a_run_has_in_flight_when_another_comes_is_waited_for(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a:
            first, second = Model(), Model()
            asking = asyncio.create_task(asker(first, a).ask(request(), Origin(1, None, None), 0))
            await first.begun.wait()
            assert not a.shared
            async with at_work(engine, store_url, "b") as b:  # returns when the first shares
                assert (a.shared, b.shared) == (True, True)
                waiting = asyncio.create_task(asker(second, b).ask(request(), Origin(2, None, None), 0))
                first.go.set()
                second.go.set()
                await asyncio.gather(asking, waiting)
            assert (first.asked, second.asked) == (1, 0)

    asyncio.run(run())


def test_what_the_others_have_left_is_learnt_when_they_have_gone(engine: Engine, store_url: str) -> None:
    async def run() -> Mapping[str, Any] | None:
        async with at_work(engine, store_url, "a") as a:
            async with at_work(engine, store_url, "b") as b:
                b.keep(a_call(KEY))
            while a.shared:  # a server takes a moment to see that a connection has gone
                await a._turns.look()
            return await a.find(KEY)

    assert asyncio.run(run()) is not None


def test_a_call_that_another_run_pays_for_meanwhile_is_found_while_it_works(
    engine: Engine, store_url: str
) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a, at_work(engine, store_url, "b"):
            await a._turns.look()
            await asyncio.to_thread(_insert, engine, KEY)
            assert await a.find(KEY) is not None

    asyncio.run(run())


def test_a_key_is_free_only_when_its_answer_is_in_the_store(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a, at_work(engine, store_url, "b") as b:
            await _see_each_other(a, b)
            for number in range(50):
                key = f"{number:02x}" * 16
                assert await a.enter(key)
                a.keep(a_call(key))
                a.leave(key)
                while not await b.enter(key):
                    pass
                assert await b.find(key) is not None
                b.leave(key)

    asyncio.run(run())


def test_who_waits_for_another_is_sent_away_when_the_run_stops(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            a = await stack.enter_async_context(at_work(engine, store_url, "a"))
            b = await stack.enter_async_context(at_work(engine, store_url, "b"))
            await _see_each_other(a, b)
            assert await a.enter(KEY)
            assert not await b.enter(KEY)
            waiting = asyncio.create_task(b.answer(KEY))
            await asyncio.sleep(0)
            b.close()
            with pytest.raises(SlotsClosedError):
                await waiting
            a.leave(KEY)

    asyncio.run(run())


def test_a_run_that_is_alone_locks_no_key(engine: Engine, store_url: str) -> None:
    async def run() -> None:
        async with at_work(engine, store_url, "a") as a:
            assert await a.enter(KEY)
            locks = key_locks(parsed(store_url), "b")
            assert await asyncio.to_thread(locks.all_taken)
            assert await asyncio.to_thread(locks.take, [KEY]) == {KEY}
            await asyncio.to_thread(locks.close)
            a.leave(KEY)

    asyncio.run(run())


async def _see_each_other(*runs: Ledger) -> None:
    for each in runs:
        await each._turns.look()
        assert each.shared


def _insert(engine: Engine, key: str) -> None:
    with engine.begin() as conn:
        conn.execute(calls.insert(), [a_call(key)])
