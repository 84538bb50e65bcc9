"""Questions in SQL: what is answered, and that a database lets nothing else happen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from evolver_store.connect import open_for_writing
from evolver_store.errors import QueryError, StoreMissingError
from evolver_store.named_queries import NAMED_QUERIES, named_query
from evolver_store.query import asking
from tests.known_store import A1, A2, A3, B1, B2, C1, C2, C3, SAME, A, B, C
from tests.postgres_fixture import MakeStore


def ask(
    store: str, sql: str, params: Mapping[str, Any] | None = None, timeout: float = 30.0
) -> list[tuple[Any, ...]]:
    with asking(store, sql, params, timeout=timeout) as answer:
        return list(answer.rows)


def is_postgres(store: str) -> bool:
    return store.startswith("postgres")


def test_an_answer_has_names_and_rows(known_store: str) -> None:
    with asking(known_store, "SELECT id, mutator FROM instructions WHERE epoch = 2 ORDER BY id") as answer:
        assert answer.columns == ("id", "mutator")
        assert list(answer.rows) == [(A2, "concretize"), (B2, "breadth"), (C2, "deepen")]


def test_views_can_be_asked_too(known_store: str) -> None:
    assert ask(known_store, "SELECT id FROM survivors WHERE run = 'first' ORDER BY id") == [
        (id_,) for id_ in (A, A1, A3, C, C1, C2, C3)
    ]


def test_percent_signs_and_colons_mean_nothing_in_a_users_sql(known_store: str) -> None:
    sql = "SELECT ':run %s' FROM runs WHERE name LIKE 'fir%' AND pool LIKE '%(x)s' OR name = 'first'"

    assert ask(known_store, sql) == [(":run %s",)]


def test_an_answer_can_be_left_in_the_middle(known_store: str) -> None:
    sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) SELECT x FROM n"
    with asking(known_store, sql) as answer:
        assert next(answer.rows) == (1,)


def test_rows_come_in_slices_and_all_of_them(known_store: str) -> None:
    sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2500) SELECT x FROM n"

    assert [row[0] for row in ask(known_store, sql)] == list(range(1, 2501))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM instructions",
        "UPDATE runs SET name = 'x'",
        "INSERT INTO evolver_migrations VALUES (99, '2026-01-01')",
        "DROP TABLE calls",
        "CREATE TABLE mine (a INTEGER)",
        "CREATE TEMP TABLE mine (a INTEGER)",
        "WITH gone AS (DELETE FROM calls RETURNING key) SELECT * FROM gone",
        "COMMIT",
        "ROLLBACK",
        "SELECT 1; DELETE FROM calls",
        "SELECT 1; COMMIT; DELETE FROM calls",
        "COMMIT; DELETE FROM calls",
        "",
        "-- nothing",
    ],
)
def test_whatever_is_no_question_is_refused_and_changes_nothing(known_store: str, sql: str) -> None:
    with pytest.raises(QueryError):
        ask(known_store, sql)

    assert ask(known_store, "SELECT COUNT(*) FROM calls") == [(4,)]
    assert ask(known_store, "SELECT name FROM runs ORDER BY id") == [("first",), ("second",)]


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH 'made.db' AS made",
        "VACUUM INTO 'made.db'",
        "PRAGMA query_only=OFF",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA writable_schema=ON",
        "BEGIN",
        "SAVEPOINT s",
        "DETACH main",
        "ANALYZE",
        "REINDEX",
        "SELECT load_extension('libm.so.6')",
    ],
)
def test_sqlite_opens_makes_and_sets_nothing(
    make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    store = make_store("sqlite")
    open_for_writing(store).dispose()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(QueryError):
        ask(store, sql)

    assert os.listdir(tmp_path) == []


def test_sqlite_tells_of_its_tables_when_asked(make_store: MakeStore) -> None:
    store = make_store("sqlite")
    open_for_writing(store).dispose()

    assert "reason" in [row[1] for row in ask(store, "PRAGMA table_info(instructions)")]
    assert ask(store, "SELECT name FROM pragma_table_info('runs') WHERE name = 'pool'") == [("pool",)]
    assert ask(store, "EXPLAIN QUERY PLAN SELECT 1")
    assert ask(store, "SELECT value FROM json_each('[7]')") == [(7,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT set_config('transaction_read_only', 'off', true), lo_create(0)",
        "SELECT lo_create(4711)",
        "SELECT nextval('counter')",
        "SELECT set_config('default_transaction_read_only', 'off', false), nextval('counter')",
        "SET TRANSACTION READ WRITE",
        "COPY runs TO PROGRAM 'touch /tmp/evolver-made'",
        "CALL something()",
        "DO $$ BEGIN DELETE FROM runs; END $$",
        "SELECT writes()",
    ],
)
def test_postgres_lets_nobody_out_of_the_read_only_transaction(make_store: MakeStore, sql: str) -> None:
    store = make_store("postgres")
    open_for_writing(store).dispose()
    execute(store, "CREATE SEQUENCE counter")
    execute(
        store,
        "CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN SET LOCAL transaction_read_only = off; "
        "INSERT INTO evolver_migrations VALUES (99, now()); RETURN 1; END $$",
    )

    with pytest.raises(QueryError):
        ask(store, sql)

    assert ask(store, "SELECT COUNT(*) FROM evolver_migrations WHERE version = 99") == [(0,)]
    assert ask(store, "SELECT COUNT(*) FROM pg_largeobject_metadata") == [(0,)]


def execute(store: str, statement: str) -> None:
    engine = create_engine(store)
    with engine.begin() as conn:
        conn.exec_driver_sql(statement)
    engine.dispose()


def test_a_refusal_to_write_says_so(known_store: str) -> None:
    sql = "SELECT lo_create(0)" if is_postgres(known_store) else "DELETE FROM runs"

    with pytest.raises(QueryError, match=r"can only read, .*; nothing was changed\. Give one SELECT"):
        ask(known_store, sql)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT nope FROM runs", "nope"),
        ("SELECT * FROM nopes", "nopes"),
        ("SELEC 1", "syntax error"),
        ("SELECT nope(1)", "nope"),
    ],
)
def test_a_mistake_is_answered_with_the_tables_and_their_columns(
    known_store: str, sql: str, said: str
) -> None:
    with pytest.raises(QueryError) as error:
        ask(known_store, sql)

    first, *listed = str(error.value).splitlines()
    assert said in first
    assert "nothing was read" in first
    names = {line.split()[0] for line in listed}
    assert names >= {"calls", "instructions", "runs", "epoch_summary", "survivors"}
    assert "evolver_migrations" not in names
    assert "  runs (id, name, status," in str(error.value)


def test_a_query_that_takes_too_long_is_stopped(known_store: str) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"

    with pytest.raises(QueryError, match=r"longer than 0\.2 s and was stopped.*--timeout"):
        ask(known_store, endless, timeout=0.2)


def test_a_query_is_stopped_in_the_middle_of_its_rows(known_store: str) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"

    with pytest.raises(QueryError, match="nothing is shown"), asking(known_store, endless, timeout=0.2):
        pass


def test_a_query_cannot_give_itself_more_time(make_store: MakeStore) -> None:
    store = make_store("postgres")
    open_for_writing(store).dispose()
    sql = """
        WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
        SELECT x, set_config('statement_timeout', '0', false) FROM n"""

    with pytest.raises(QueryError, match="was stopped"), asking(store, sql, timeout=0.3) as answer:
        for _ in answer.rows:
            pass


@pytest.mark.parametrize("sql", ["SELECT '\0'", "SELECT '\udcff'"])
def test_bytes_that_are_no_text_are_refused(known_store: str, sql: str) -> None:
    with pytest.raises(QueryError, match="no text"):
        ask(known_store, sql)


def test_a_question_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        ask(str(tmp_path / "nowhere.db"), "SELECT 1")

    assert os.listdir(tmp_path) == []


def named(store: str, name: str, run: int = 1) -> list[dict[str, Any]]:
    with asking(store, named_query(name).sql, {"run": run}) as answer:
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def picked(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Pick columns, figures as floats: PostgreSQL counts in decimals where SQLite has floats."""
    return [tuple(figure(row[name]) for name in names) for row in rows]


def figure(value: Any) -> Any:
    with suppress(TypeError, ValueError):
        return float(value)
    return value


def test_there_are_ten_named_queries_each_with_a_question() -> None:
    assert len({query.name for query in NAMED_QUERIES}) == 10
    assert all(query.question.endswith("?") for query in NAMED_QUERIES)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(QueryError, match=r"no query is named 'deepest'.*deepest-families"):
        named_query("deepest")


def test_deepest_families_come_by_their_survivors(known_store: str) -> None:
    rows = named(known_store, "deepest-families")

    assert picked(rows, "seed_id", "survivors", "newest_id") == [(C, 3, C3), (A, 2, A3)]
    assert picked(rows, "seed", "newest")[0] == ("Reverse a text.", SAME)


def test_stuck_seeds_are_those_without_a_survivor(known_store: str) -> None:
    rows = named(known_store, "stuck-seeds")

    assert picked(rows, "seed_id", "attempts", "a_rule") == [(B, 3, "content_filter")]


def test_deaths_by_rule_are_counted_among_all_attempts(known_store: str) -> None:
    rows = named(known_store, "deaths-by-rule")

    assert picked(rows, "rule", "status", "deaths", "percent_of_attempts", "an_id")[0] == (
        "no_information_gain",
        "eliminated",
        2,
        22.22,
        A2,
    )
    assert {row["rule"] for row in rows} == {"no_information_gain", "refusal", "content_filter"}


def test_mutator_yield_tells_share_growth_and_price(known_store: str) -> None:
    rows = named(known_store, "mutator-yield")
    growth = [
        len("Sort a list of words by length.") - len("Sort a list."),
        len("Reverse a text word by word.") - len("Reverse a text."),
        len("Reverse a text word by word, keeping the commas.") - len("Reverse a text word by word."),
    ]

    assert picked(rows, "mutator", "attempts", "survivors", "percent", "usd_per_survivor") == [
        ("deepen", 4, 3, 75, 0.666667),
        ("breadth", 2, 1, 50, 1),
        ("concretize", 3, 1, 33.3, 1),
    ]
    assert float(rows[0]["mean_growth_characters"]) == round(sum(growth) / 3, 1)


def test_mutator_pairs_follow_survivors_alone(known_store: str) -> None:
    rows = named(known_store, "mutator-pairs")

    assert picked(rows, "first_mutator", "second_mutator", "attempts", "percent_surviving") == [
        ("deepen", "breadth", 1, 100),
        ("deepen", "deepen", 1, 100),
        ("deepen", "concretize", 2, 50),
    ]


def test_second_chances_count_the_failures_before(known_store: str) -> None:
    rows = named(known_store, "second-chances")

    assert picked(rows, "failures_before", "attempts", "survivors", "percent_surviving") == [
        (0, 6, 4, 66.7),
        (1, 2, 1, 50),
        (2, 1, 0, 0),
    ]


def test_judge_says_equal_shows_pairs_of_the_judge_and_not_of_the_rule(known_store: str) -> None:
    rows = named(known_store, "judge-says-equal")

    assert picked(rows, "id", "parent", "child") == [
        (A2, "Sort a list of words by length.", "Sort a list of words by their length.")
    ]


def test_biggest_growth_compares_survivors_with_their_seed(known_store: str) -> None:
    rows = named(known_store, "biggest-growth")

    assert [row["id"] for row in rows] == [C2, A1, A3, C1, C3]
    assert picked(rows, "seed_characters", "characters", "times")[0] == (15, 48, 3.2)


def test_same_text_finds_texts_across_families(known_store: str) -> None:
    rows = named(known_store, "same-text")

    assert picked(rows, "times", "families", "first_id", "last_id", "instruction") == [(2, 2, A3, C3, SAME)]


def test_dearest_families_come_by_tokens(known_store: str) -> None:
    rows = named(known_store, "dearest-families")

    assert picked(rows, "seed_id", "tokens", "cost_usd", "survivors") == [
        (A, 42, 1.5, 2),
        (B, 42, 1, 0),
        (C, 42, 1.5, 3),
    ]


@pytest.mark.parametrize("query", NAMED_QUERIES, ids=lambda query: query.name)
def test_named_queries_keep_to_their_run(known_store: str, query: Any) -> None:
    rows = named(known_store, query.name, run=2)

    assert not {A, B, C, A1, B1, C1} & {value for row in rows for value in row.values()}
