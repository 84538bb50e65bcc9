"""The figures of a known run, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, event, update

from evolver.facts.attempts import Judged
from evolver.facts.lengths import Lengths
from evolver.facts.runs import run_overviews
from evolver.facts.spending import Spent, paid_by
from evolver.report.figures import run_figures
from evolver.report.summary import run_stats
from evolver_store.connect import open_for_writing, reading
from evolver_store.schema import calls, instructions
from tests.known_store import HOSTILE, SAME
from tests.postgres_fixture import MakeStore


@pytest.fixture
def conn(known_store: str) -> Iterator[Connection]:
    with reading(known_store) as engine, engine.connect() as conn:
        yield conn


def test_every_attempt_stands_in_one_cell_of_epoch_and_mutator(conn: Connection) -> None:
    cells = run_figures(conn, 1).attempts.cells

    assert {key: (cell.attempts, cell.survivors) for key, cell in cells.items()} == {
        (1, "deepen"): (3, 2),
        (2, "breadth"): (1, 0),
        (2, "concretize"): (1, 0),
        (2, "deepen"): (1, 1),
        (3, "breadth"): (1, 1),
        (3, "concretize"): (2, 1),
    }
    assert list(cells) == sorted(cells)


def test_deaths_are_counted_by_rule_and_failures_by_class(conn: Connection) -> None:
    total = run_figures(conn, 1).attempts.total()

    assert total.eliminated == Counter(no_information_gain=2, refusal=1)
    assert total.failed == Counter(content_filter=1)
    assert (total.attempts, total.survivors) == (9, 5)
    assert total.share == 5 / 9


def test_sums_by_epoch_and_by_mutator_are_those_of_their_cells(conn: Connection) -> None:
    figures = run_figures(conn, 1).attempts

    assert {epoch: tally.attempts for epoch, tally in figures.by_epoch().items()} == {1: 3, 2: 3, 3: 3}
    assert figures.by_epoch()[2].eliminated == Counter(no_information_gain=2)
    assert {name: tally.survivors for name, tally in figures.by_mutator().items()} == {
        "breadth": 1,
        "concretize": 1,
        "deepen": 3,
    }
    assert figures.by_mutator()["concretize"].cost_usd == 1.0
    assert figures.by_mutator()["concretize"].prompt_tokens == 30


def test_the_judge_is_counted_by_what_it_said_and_not_by_the_rule(conn: Connection) -> None:
    judged = run_figures(conn, 1).attempts.total().judged

    assert judged == Judged(equal=1, not_equal=5, undecided=1)
    assert judged.pass_rate == 1 - 1 / 7


@pytest.mark.parametrize(("equal", "strict"), [(29, False), (30, False), (31, True)])
def test_a_judge_is_strict_above_30_percent(equal: int, *, strict: bool) -> None:
    assert Judged(equal=equal, not_equal=100 - equal).strict == strict


def test_a_judge_that_was_not_asked_is_neither_strict_nor_lenient() -> None:
    assert Judged().pass_rate is None
    assert not Judged().strict


def test_lengths_are_those_of_seeds_and_survivors_alone(conn: Connection) -> None:
    lengths = run_figures(conn, 1).lengths
    seeds = sorted(map(len, ("Sort a list.", HOSTILE, "Reverse a text.")))
    first = [len("Sort a list of words by length."), len("Reverse a text word by word.")]

    assert [one.epoch for one in lengths] == [0, 1, 2, 3]
    assert lengths[0].rows == 3
    assert lengths[0].instruction_mean == sum(seeds) / 3
    assert lengths[0].instruction_median == seeds[1]
    assert lengths[0].response_median == (len("Use sorted().") + len("Use [::-1].")) / 2
    assert lengths[1].instruction_median == sum(first) / 2
    assert lengths[3] == Lengths(3, 2, len(SAME), len(SAME), 10, 10)


def test_paid_calls_are_those_of_the_run_by_purpose(conn: Connection) -> None:
    assert run_figures(conn, 1).paid_by_purpose() == {
        "answer": Spent(1, 10, 5, 0.25),
        "evolve": Spent(2, 20, 10, 0.5),
        "judge": Spent(1, 10, 5, 0.25),
    }
    assert run_figures(conn, 1).paid_in_all() == Spent(4, 40, 20, 1.0)
    assert run_figures(conn, 2).paid == []


def test_a_run_without_attempts_has_empty_figures(conn: Connection) -> None:
    figures = run_figures(conn, 77)

    assert (figures.attempts.cells, figures.lengths, figures.paid) == ({}, [], [])
    assert figures.attempts.total().share == 0


def test_an_overview_tells_how_far_each_run_is(conn: Connection) -> None:
    first, second = run_overviews(conn, lambda name: False)

    assert (first.name, first.seeds, first.attempts, first.survivors, first.cost_usd) == (
        "first",
        3,
        9,
        5,
        1.0,
    )
    assert (second.name, second.attempts, second.survivors, second.cost_usd) == ("second", 1, 1, None)


def test_the_summary_of_a_run_agrees_with_its_figures(conn: Connection) -> None:
    stats, total = run_stats(conn, 1, 3), run_figures(conn, 1).attempts.total()

    assert (stats.attempts, stats.survivors, stats.failed) == (9, 5, 1)
    assert stats.eliminated == total.eliminated
    taken = total.prompt_tokens, total.completion_tokens, total.cost_usd
    assert (stats.taken.prompt_tokens, stats.taken.completion_tokens, stats.taken.cost_usd) == taken
    assert (stats.calls, stats.prompt_tokens, stats.completion_tokens, stats.cost_usd) == (4, 40, 20, 1.0)
    assert [epoch.attempts for epoch in stats.epochs] == [3, 3, 3]


@pytest.fixture
def changing(known_store: str) -> Iterator[Connection]:
    """A transaction that is rolled back: other tests read the same store."""
    engine = open_for_writing(known_store)
    with engine.connect() as conn:
        yield conn
        conn.rollback()
    engine.dispose()


def test_the_summary_counts_deaths_by_the_name_a_user_gave_a_rule_after_the_built_in_ones(
    changing: Connection,
) -> None:
    dead = (instructions.c.run_id == 1) & (instructions.c.rule == "refusal")
    changing.execute(update(instructions).where(dead).values(rule="a_rule_of_mine"))
    stats = run_stats(changing, 1, 3)
    assert list(stats.eliminated.items()) == [("no_information_gain", 2), ("a_rule_of_mine", 1)]
    assert sum(epoch.eliminated.get("a_rule_of_mine", 0) for epoch in stats.epochs) == 1


def test_what_the_answers_to_seeds_took_is_counted_with_the_attempts(changing: Connection) -> None:
    seeds = (instructions.c.run_id == 1) & (instructions.c.status == "seed")
    before = run_stats(changing, 1, 3)
    answered = {"prompt_tokens": 7, "completion_tokens": 9, "cost_usd": 0.5, "model": "script/1"}
    changing.execute(update(instructions).where(seeds).values(**answered))
    after = run_stats(changing, 1, 3)
    assert after.taken.prompt_tokens == before.taken.prompt_tokens + 3 * 7
    assert after.taken.completion_tokens == before.taken.completion_tokens + 3 * 9
    assert after.taken.cost_usd == (before.taken.cost_usd or 0.0) + 1.5
    assert (after.attempts, after.calls, after.cost_usd) == (before.attempts, before.calls, before.cost_usd)


def test_calls_without_a_price_are_counted_beside_the_dollars(changing: Connection) -> None:
    changing.execute(update(calls).where(calls.c.key == "key0").values(cost_usd=None))
    paid = paid_by(changing, 1)
    assert paid == Spent(4, 40, 20, 0.75, unpriced=1)
    changing.execute(update(calls).values(cost_usd=None))
    assert paid_by(changing, 1) == Spent(4, 40, 20, None, unpriced=4)
    assert run_stats(changing, 1, 3).cost_usd is None


def test_what_was_paid_before_can_be_taken_away() -> None:
    before, now = Spent(2, 20, 10, 0.5), Spent(5, 50, 25, 1.25, unpriced=1)
    assert now - before == Spent(3, 30, 15, 0.75, unpriced=1)
    assert now - now == Spent()
    assert before + (now - before) == now


def test_what_a_run_paid_is_read_without_a_look_at_a_completion(make_store: MakeStore) -> None:
    engine = open_for_writing(make_store("sqlite"))
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _cur, sql, *_: asked.append(sql))
    with engine.connect() as conn:
        paid_by(conn, 1)
        (sql,) = (one for one in asked if "calls" in one)
        plan = " ".join(str(step[-1]) for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (1,)))
    engine.dispose()
    assert "COVERING INDEX calls_run" in plan
