"""A process that dies between any two steps, and the session that comes after it.

The provider is a scripted one that outlives the sessions and counts what it is paid for; the store is a real file.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Set
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeVar

import pytest
from sqlalchemy import Connection

from evolver.calls.ask import Answer
from evolver.calls.batch.batcher import Batcher, BatchOptions
from evolver.calls.batch.store import BatchStore
from evolver.calls.budget import Budget
from evolver.calls.events import CallEvent
from evolver.calls.forecast import BATCH_FACTOR, Forecast
from evolver.calls.gate import Gate
from evolver.calls.key import Origin
from evolver.calls.ledger import Ledger
from evolver.calls.prices import Price
from evolver.errors import RunModelError, TransientModelError
from evolver.models.batch.protocol import BatchState, Outcome, Sent
from evolver.models.identity import identity
from evolver.models.protocol import Completion, Request, Sampling
from evolver_store.batches import list_batches, open_batches
from evolver_store.connect import open_for_writing, reading
from tests.calls.asking import make_asker

_T = TypeVar("_T")
_SAMPLING = Sampling()


class DiedError(Exception):
    """The process is gone."""


class Provider:
    """Batches end as soon as somebody looks; ``answered`` counts how often each request was worked off."""

    name, provider, base_url = "scripted:batch", "scripted", "http://scripted"
    settings = ""  # what it counts and what tests change is no setting

    def __init__(self) -> None:
        self.batches: dict[str, tuple[str, list[str]]] = {}
        self.answered: Counter[str] = Counter()
        self.live: Counter[str] = Counter()
        self.outcomes: dict[str, dict[str, Outcome]] = {}
        self.step: Callable[[], None] = lambda: None
        self.fate: Callable[[str, int], Outcome] = lambda key, times: Completion(
            f"answer to {key}", "stop", 5, 7
        )
        self.refuses: Callable[[int], str | None] = lambda size: None
        self.foreign = False
        self.looks = self.slow = 0
        self.cancelled = False

    def worked_off(self, id_: str) -> dict[str, Outcome]:
        if id_ not in self.outcomes:
            keys = reversed(self.batches[id_][1])
            self.outcomes[id_] = {key: self.fate(key, self.answered[key]) for key in keys}
            self.answered.update(
                key for key, each in self.outcomes[id_].items() if isinstance(each, Completion)
            )
        return self.outcomes[id_]

    async def complete(self, request: Request) -> Completion:
        self.live[request.prompt] += 1
        return Completion("live", "stop", 5, 7)

    async def aclose(self) -> None:
        pass

    def batch_api(self) -> Api:
        return Api(self)


class Api:
    most_requests, most_bytes = 4, 10_000
    opening, between, closing = b"", b"\n", b"\n"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def line(self, key: str, request: Request) -> bytes:
        return json.dumps({"key": key, "prompt": request.prompt}).encode()

    async def submit(self, key: str, file: IO[bytes]) -> str:
        self.provider.step()
        file.seek(0)
        keys = [json.loads(line)["key"] for line in file]
        id_ = f"batch{len(self.provider.batches)}"
        self.provider.batches[id_] = key, keys
        self.provider.step()
        return id_

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        self.provider.step()
        if self.provider.foreign and "other" not in not_these:
            return "other"
        own = (id_ for id_, (key, _) in self.provider.batches.items() if key == sent.key)
        return next((id_ for id_ in own if id_ not in not_these), None)

    async def look(self, provider_id: str) -> BatchState:
        self.provider.step()
        self.provider.looks += 1
        _, keys = self.provider.batches[provider_id]
        if self.provider.looks <= self.provider.slow:
            return BatchState(provider_id, "working")
        reason = self.provider.refuses(len(keys))
        if reason is not None:
            return BatchState(provider_id, "failed", code=reason, reason=reason)
        return BatchState(provider_id, "ended", len(keys), 0, cancelled=self.provider.cancelled)

    async def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        self.provider.step()
        if self.provider.cancelled:
            return
        for key, outcome in self.provider.worked_off(state.provider_id).items():
            yield key, outcome
            for _ in range(5):
                await asyncio.sleep(0)  # whoever has an answer asks on while others still wait for theirs

    async def cancel(self, provider_id: str) -> None:
        self.provider.cancelled = True


class MortalLedger(Ledger):
    """Dies before or after the n-th thing that a crash could fall between."""

    step: Callable[[], None]
    reads = 0

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        type(self).reads += 1
        return await super().read(query)

    async def write(self, action: Callable[[Connection], _T]) -> _T:
        self.step()
        result = await super().write(action)
        self.step()
        return result


def experienced() -> Forecast:
    """Twenty calls were seen, of 2 tokens and, by turns, 1 and 17."""
    forecast = Forecast({"answer": Price(1.0, 1.0)}, BATCH_FACTOR)
    for number, request in enumerate(questions(20)):
        forecast.note(request, Completion("seen", "stop", 2, 1 + 16 * (number % 2)))
    return forecast


def questions(count: int = 10) -> list[Request]:
    return [Request("answer", f"question {number}", _SAMPLING, "1.1") for number in range(count)]


async def session(
    store: Path,
    provider: Provider,
    requests: list[Request],
    step: Callable[[], None] = lambda: None,
    late: int = 0,
    budget: float | None = None,
) -> list[Answer]:
    """Let a crowd ask as the attempts of a run do: all at once, but for the last ``late`` ones, which follow."""
    engine = open_for_writing(store)
    ledger = MortalLedger(engine)
    ledger.step = provider.step = step
    events: list[CallEvent] = []
    try:
        await ledger.learn_calls()
        live = make_asker(
            provider,
            identity(provider),
            gate=Gate(4),
            log=ledger,
            budget=Budget(budget),
            price=Price(1.0, 1.0),
            report=events.append,
            forecast=experienced(),
        )
        batcher = Batcher(BatchStore(ledger, 1), events.append, BatchOptions(least=2, look_every=0.001))
        asker = batcher.askers({"answer": live}, {"answer": provider})["answer"]
        async with batcher:
            answers = []
            for crowd in (requests[: len(requests) - late], requests[len(requests) - late :]):
                asking = [
                    asyncio.create_task(asker.ask(request, Origin(1, number, 1), 0))
                    for number, request in enumerate(crowd)
                ]
                answers += await gathered(batcher, asking)
            return answers
    finally:
        await ledger.aclose()
        engine.dispose()


async def gathered(batcher: Batcher, asking: list[asyncio.Task[Answer]]) -> list[Answer]:
    """Play the run: whoever has an answer is closed, and nothing more can be opened."""
    waiting = set(asking)
    try:
        while waiting:
            batcher.rest(len(waiting))
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            batcher.rest(None)
            for error in [error for task in done if (error := task.exception()) is not None]:
                raise error
    finally:
        await asyncio.gather(*waiting, return_exceptions=True)
    return [task.result() for task in asking]


def dying(at: int) -> Callable[[], None]:
    left = at

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise DiedError

    return step


def stored(store: Path) -> list[Any]:
    with reading(store) as engine, engine.connect() as conn:
        return list_batches(conn)


def test_a_death_at_any_step_neither_pays_twice_nor_loses_an_answer(tmp_path: Path) -> None:
    died = 0
    while True:
        store, provider = tmp_path / f"{died}.db", Provider()
        try:
            asyncio.run(session(store, provider, questions(6), dying(died)))
            break
        except DiedError:
            died += 1
        answers = asyncio.run(session(store, provider, questions(6)))
        assert len(answers) == 6
        assert max(provider.answered.values()) == 1
        assert max(provider.live.values()) == 1
        sent = Counter(key for _, keys in provider.batches.values() for key in keys)
        assert max(sent.values()) == 1
        assert {batch.status for batch in stored(store)} == {"ended"}
    assert died > 15  # two batches, each with more than seven steps


@pytest.mark.parametrize(("first", "second"), [(3, 1), (5, 4), (8, 2), (8, 9), (14, 6)])
def test_two_deaths_in_a_row_pay_nothing_twice_either(tmp_path: Path, first: int, second: int) -> None:
    store, provider = tmp_path / "s.db", Provider()
    for at in (first, second):
        with suppress(DiedError):
            asyncio.run(session(store, provider, questions(), dying(at)))
    asyncio.run(session(store, provider, questions()))
    assert max(provider.answered.values()) == 1


def test_failed_requests_alone_are_in_the_next_batch(tmp_path: Path) -> None:
    provider = Provider()
    first: list[str] = []

    def fate(key: str, times: int) -> Outcome:
        if len(first) < 3 and key not in first:
            first.append(key)
            return TransientModelError("expired", "expired")
        return Completion("fine", "stop", 1, 1)

    provider.fate = fate
    asyncio.run(session(tmp_path / "s.db", provider, questions()))

    sent = Counter(key for _, keys in provider.batches.values() for key in keys)
    assert sorted(key for key, times in sent.items() if times == 2) == sorted(first)
    assert len(first) == 3


def test_a_batch_refused_as_too_much_at_a_time_is_submitted_in_halves(tmp_path: Path) -> None:
    provider = Provider()
    provider.refuses = lambda size: "token_limit_exceeded" if size > 2 else None
    asyncio.run(session(tmp_path / "s.db", provider, questions()))

    taken = [keys for _, keys in provider.batches.values() if len(keys) <= 2]
    assert sum(map(len, taken)) == 9
    assert "failed" in {batch.status for batch in stored(tmp_path / "s.db")}


def test_a_batch_refused_for_another_reason_stops_the_run_and_says_why(tmp_path: Path) -> None:
    provider = Provider()
    provider.refuses = lambda size: "billing trouble"

    with pytest.raises(RunModelError, match="billing trouble"):
        asyncio.run(session(tmp_path / "s.db", provider, questions()))
    assert "failed" in {batch.status for batch in stored(tmp_path / "s.db")}


def test_a_batch_cancelled_elsewhere_stops_the_run_and_the_next_session_submits_the_rest(
    tmp_path: Path,
) -> None:
    provider = Provider()
    provider.cancelled = True
    with pytest.raises(RunModelError, match="was cancelled"):
        asyncio.run(session(tmp_path / "s.db", provider, questions()))

    provider.cancelled = False
    assert len(asyncio.run(session(tmp_path / "s.db", provider, questions()))) == 10
    assert max(provider.answered.values()) == 1


def test_a_batch_taken_for_ours_that_holds_other_requests_is_left_alone(tmp_path: Path) -> None:
    provider = Provider()
    with pytest.raises(DiedError):
        asyncio.run(session(tmp_path / "s.db", provider, questions(), dying(2)))  # an intent, and no batch
    assert not provider.batches
    provider.foreign = True
    provider.batches["other"] = "not ours", ["a", "b", "c", "d"]

    answers = asyncio.run(session(tmp_path / "s.db", provider, questions()))
    assert len(answers) == 10
    assert max(provider.answered.values()) == 1
    batches = stored(tmp_path / "s.db")
    assert {batch.status for batch in batches} == {"ended"}
    assert "other" not in {batch.provider_id for batch in batches}


def test_a_batch_taken_for_ours_that_holds_but_some_of_our_requests_is_left_alone(tmp_path: Path) -> None:
    provider = Provider()
    with pytest.raises(DiedError):
        asyncio.run(session(tmp_path / "s.db", provider, questions(), dying(4)))  # submitted, and not told
    ((_, (_, ours)),) = provider.batches.items()
    provider.foreign = True
    provider.batches["other"] = "not ours", [*ours[:2], "c", "d"]

    answers = asyncio.run(session(tmp_path / "s.db", provider, questions()))
    assert len(answers) == 10
    submitted = Counter(key for id_, (_, keys) in provider.batches.items() if id_ != "other" for key in keys)
    assert max(submitted.values()) == 1
    assert "other" not in {batch.provider_id for batch in stored(tmp_path / "s.db")}


def test_equal_questions_of_two_lineages_are_one_request(tmp_path: Path) -> None:
    provider = Provider()
    answers = asyncio.run(session(tmp_path / "s.db", provider, [*questions(4), *questions(4)]))

    assert len(answers) == 8
    assert answers[:4] == answers[4:]
    assert set(Counter(key for _, keys in provider.batches.values() for key in keys).values()) == {1}


def test_a_question_equal_to_one_answered_earlier_in_the_session_is_not_submitted_again(
    tmp_path: Path,
) -> None:
    provider = Provider()
    twice = [*questions(6), *questions(2)]
    asyncio.run(session(tmp_path / "s.db", provider, twice, late=2))

    assert set(Counter(key for _, keys in provider.batches.values() for key in keys).values()) == {1}
    assert set(provider.live.values()) == {1}


def test_answers_that_nobody_asked_for_yet_are_kept_and_found_later(tmp_path: Path) -> None:
    provider = Provider()
    with pytest.raises(DiedError):
        asyncio.run(session(tmp_path / "s.db", provider, questions(), dying(9)))
    with reading(tmp_path / "s.db") as engine, engine.connect() as conn:
        assert open_batches(conn)
    before = len(provider.batches)

    asyncio.run(
        session(tmp_path / "s.db", provider, questions(1))
    )  # others than those in flight are not asked for
    asyncio.run(session(tmp_path / "s.db", provider, questions()))
    assert max(provider.answered.values()) == 1
    assert len(provider.batches) >= before


def test_followers_of_a_wave_share_a_batch_though_its_answers_come_one_by_one(tmp_path: Path) -> None:
    provider = Provider()

    async def chains() -> None:
        engine = open_for_writing(tmp_path / "s.db")
        ledger = Ledger(engine)
        live = make_asker(provider, identity(provider), gate=Gate(4), log=ledger)
        batcher = Batcher(BatchStore(ledger, 1), lambda event: None, BatchOptions(least=2, look_every=0.001))
        asker = batcher.askers({"answer": live}, {"answer": provider})["answer"]

        async def chain(number: int) -> Answer:
            for step in range(2):
                request = Request("answer", f"{number} {step}", _SAMPLING, "1.1")
                answer = await asker.ask(request, Origin(1, number, 1), 0)
            return answer

        try:
            async with batcher:
                await gathered(batcher, [asyncio.create_task(chain(number)) for number in range(5)])
        finally:
            await ledger.aclose()
            engine.dispose()

    asyncio.run(chains())
    assert [len(keys) for _, keys in provider.batches.values()] == [4, 4, 1]


def test_what_the_budget_holds_back_waits_until_a_batch_is_collected_and_asks_nothing_meanwhile(
    tmp_path: Path,
) -> None:
    provider = Provider()
    provider.slow = 30
    provider.fate = lambda key, times: Completion("short", "stop", 2, 1)
    before = MortalLedger.reads
    asyncio.run(session(tmp_path / "s.db", provider, questions(), budget=0.00006))

    sizes = [len(keys) for _, keys in provider.batches.values()]
    assert (sizes[0] < 9, sum(sizes)) == (True, 9)  # fewer are certain to be paid for at first
    assert MortalLedger.reads - before < 40


def test_the_age_of_a_batch_is_told_in_utc(tmp_path: Path) -> None:
    provider = Provider()
    asyncio.run(session(tmp_path / "s.db", provider, questions()))

    for batch in stored(tmp_path / "s.db"):
        assert batch.created_at <= batch.submitted_at <= batch.ended_at <= datetime.now(UTC)
