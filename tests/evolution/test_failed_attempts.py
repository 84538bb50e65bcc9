"""Attempts that failed: told, made again on request, and never a silent success."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolver import Evolution, Request, Unusable
from evolver.errors import AllFailedError, PluginError, RowModelError
from evolver.report.progress import RunProgress

Rows = Callable[..., list[dict[str, Any]]]
MakePool = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> dict[str, Any]:
    return {"store": str(tmp_path / "evolve.db"), "output": None}


def failing(epochs: str) -> Callable[[Request], None]:
    """Withhold the answers of some epochs."""

    def before(request: Request) -> None:
        if request.purpose == "answer" and request.sample.split(".")[1] in epochs:
            raise RowModelError("the content filter cut it", "content_filter")

    return before


@pytest.mark.parametrize("bad", ["3", "12", "2"])
def test_failed_attempts_are_made_again_on_request_and_only_then(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: dict[str, Any], bad: str
) -> None:
    pool, model = make_pool(6), scripted()
    model.before = failing(bad)
    first = Evolution(pool, model=model, epochs=3, **place).run()
    assert first.stats.failed == 6 * len(bad)
    model.before = lambda request: None
    asked = len(model.asked)
    assert Evolution(pool, model=model, epochs=3, **place).run().stats.failed == 6 * len(bad)
    assert len(model.asked) == asked

    again = Evolution(pool, model=model, epochs=3, retry_failed=True, **place).run()

    assert again.stats.failed == 0
    assert again.stats.attempts == 18
    assert model.count("answer") <= 18 + 6 * len(bad)  # what was answered before is not asked again


def test_a_failure_at_the_end_of_a_lineage_is_made_up_for_as_if_it_had_not_been(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: dict[str, Any], tmp_path: Path
) -> None:
    def lineage(store: Any) -> list[tuple[Any, ...]]:
        columns = ("id", "parent_id", "status", "instruction", "response")
        return [tuple(row[name] for name in columns) for row in rows_of(store)]

    pool, model, undisturbed = make_pool(6), scripted(), scripted()
    model.before = failing("3")
    Evolution(pool, model=model, epochs=3, **place).run()
    model.before = lambda request: None
    Evolution(pool, model=model, epochs=3, retry_failed=True, **place).run()
    Evolution(pool, model=undisturbed, epochs=3, store=str(tmp_path / "other.db"), output=None).run()
    assert lineage(place["store"]) == lineage(tmp_path / "other.db")


def test_a_session_whose_every_attempt_failed_is_no_success_however_few_there_were(
    make_pool: MakePool, scripted: Any, place: dict[str, Any]
) -> None:
    model = scripted()
    model.before = failing("123")
    with pytest.raises(AllFailedError, match=r"every attempt.*\(2\).*content filter.*--retry-failed") as said:
        Evolution(make_pool(2), model=model, epochs=1, **place).run()
    assert said.value.exit_code == 1
    assert said.value.result.stats.failed == 2


class Counting:
    """Reads a reply unless it is the one that it cannot read."""

    name = "counting"
    family = "depth"
    version = 1
    markers = ()

    def __init__(self, bad: range) -> None:
        self.bad = bad
        self.seen = 0

    def prompt(self, instruction: str, rng: Any) -> Any:
        from evolver import Prompt

        return Prompt(f"#Given Prompt#:\n{instruction}")

    def parse(self, completion: str) -> str:
        self.seen += 1
        if self.seen in self.bad:
            raise Unusable("there is no list in it")
        return completion


def test_a_reply_that_parse_rejects_kills_its_attempt_and_not_the_run(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: dict[str, Any]
) -> None:
    Evolution(make_pool(30), model=scripted(), epochs=1, mutators=[Counting(range(5, 8))], **place).run()
    dead = [row for row in rows_of(place["store"]) if row["rule"] == "unreadable"]
    assert [row["status"] for row in dead] == ["eliminated"] * 3
    assert "there is no list in it" in dead[0]["reason"]


def test_a_mutator_that_can_read_none_of_the_first_replies_stops_the_run(
    make_pool: MakePool, scripted: Any, place: dict[str, Any]
) -> None:
    with pytest.raises(PluginError, match="none of the first 20 replies"):
        Evolution(
            make_pool(30), model=scripted(), epochs=1, mutators=[Counting(range(1, 100))], **place
        ).run()


def test_whatever_parse_raises_is_a_reply_it_cannot_use(
    make_pool: MakePool, scripted: Any, rows_of: Rows, place: dict[str, Any]
) -> None:
    class Careless(Counting):
        def parse(self, completion: str) -> str:
            self.seen += 1
            return completion if self.seen not in self.bad else str(vars(self)["missing"])

    Evolution(make_pool(10), model=scripted(), epochs=1, mutators=[Careless(range(3, 4))], **place).run()
    assert [row["rule"] for row in rows_of(place["store"])].count("unreadable") == 1


@pytest.mark.parametrize("retry", [False, True])
def test_progress_that_is_drawn_says_of_a_run_that_goes_on_what_the_store_says(
    make_pool: MakePool, scripted: Any, place: dict[str, Any], retry: bool
) -> None:
    pool, model = make_pool(6), scripted()
    model.before = failing("1")
    Evolution(pool, model=model, epochs=2, **place).run()
    model.before = lambda request: None
    drawn = RunProgress()

    again = Evolution(pool, model=model, epochs=3, retry_failed=retry, **place, on_event=drawn.add).run()

    ended, stats = drawn.outcomes, again.stats
    assert stats.survivors > 6
    assert (ended.attempts, sum(drawn.done)) == (stats.attempts, stats.attempts)
    assert (ended.survivors, dict(ended.eliminated)) == (stats.survivors, stats.eliminated)
    assert ended.failed.total() == stats.failed == (0 if retry else 6)
