"""What a question in SQL may take: of time inside one function, of memory, of the disk, and of a run's patience."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from evolver.errors import QueryError
from evolver_store import query as query_module
from evolver_store.connect import open_for_writing, reading
from evolver_store.functions import ALLOWED, hold_functions_in
from evolver_store.lineage import ancestors, descendants
from evolver_store.query import asking
from evolver_store.schema import row_id
from tests.known_store import A3, A


def ask(store: str | Path, sql: str, **more: Any) -> list[tuple[Any, ...]]:
    with asking(store, sql, **more) as answer:
        return list(answer.rows)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "e.db"
    open_for_writing(path).dispose()
    return path


def test_more_rows_than_fit_in_memory_come_whole_and_in_order(known_store: str) -> None:
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT x, '"
    rows = ask(known_store, f"{numbers}{'y' * 500}' FROM n")
    assert [row[0] for row in rows] == list(range(1, 20001))
    assert {row[1] for row in rows} == {"y" * 500}


def test_no_more_rows_are_fetched_than_are_wanted(known_store: str) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    assert ask(known_store, endless, most=1500) == [(number,) for number in range(1, 1501)]


def test_a_slow_reader_of_rows_keeps_no_transaction_open(store: Path) -> None:
    writer = open_for_writing(store)
    with writer.begin() as conn:
        conn.execute(text("CREATE TABLE much AS SELECT hex(randomblob(2000)) AS x"))
    with asking(store, "SELECT * FROM much") as answer:
        next(answer.rows)
        for _ in range(3):
            with writer.begin() as conn:
                conn.execute(text("INSERT INTO much SELECT hex(randomblob(2000000))"))
        own = sqlite3.connect(store)
        emptied = own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        own.close()
    writer.dispose()
    assert emptied == (0, 0, 0)


def test_an_answer_larger_than_the_limit_is_refused(
    known_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_module, "_MOST_BYTES", 100_000)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    with pytest.raises(QueryError, match=r"nothing is shown\. Ask for less"):
        ask(known_store, endless)


@pytest.mark.parametrize(
    "value",
    [
        "zeroblob(70000000)",
        "replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
        "group_concat(hex(zeroblob(20000000)))",
    ],
    ids=["one value", "what replace makes", "what an aggregate makes"],
)
def test_a_value_larger_than_the_limit_is_refused(store: Path, value: str) -> None:
    rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 9)"
    with pytest.raises(QueryError, match="more than 64 MiB"):
        ask(store, f"{rows} SELECT length({value}) FROM n")


def test_what_is_sorted_stays_below_a_limit_of_memory(store: Path) -> None:
    """In a process of its own, because the limit is one of the process; its own memory is the proof."""
    code = """
import sys
from evolver_store import query
from evolver.errors import QueryError
query._MOST_MEMORY = 50 << 20
rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
rows += "SELECT hex(randomblob(5000)) y FROM n ORDER BY y"
try:
    with query.asking(sys.argv[1], rows):
        pass
except QueryError as error:
    print(error)
# ru_maxrss would count what the test process held when it forked.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
assert int(status["VmHWM"].split()[0]) < 300_000
"""
    done = subprocess.run([sys.executable, "-c", code, store], capture_output=True, text=True, check=True)
    assert "memory; nothing is shown" in done.stdout


@pytest.mark.parametrize(
    "slow",
    [
        "instr(replace(hex(zeroblob(4000000)), '00', 'aa'), replace(hex(zeroblob(2000000)), '00', 'aa') || 'b')",
        "length(replace(hex(zeroblob(10000000)), hex(zeroblob(5000000)) || '1', ''))",
        "length(trim(hex(zeroblob(8000000)), replace(hex(zeroblob(8000000)), '0', 'x') || '0'))",
    ],
    ids=["instr", "replace", "trim"],
)
def test_no_function_compares_everything_with_everything(store: Path, slow: str) -> None:
    """SQLite's own take minutes over these, and look at no clock meanwhile; ours end within the limit."""
    assert len(ask(store, f"SELECT {slow}", timeout=20)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT load_extension('x')",
        "SELECT json_patch('{}', '{}')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT sqlite_compileoption_get(0)",
    ],
)
def test_a_function_that_is_not_known_to_be_harmless_is_refused(store: Path, query: str) -> None:
    with pytest.raises(QueryError):
        ask(store, query)


@pytest.mark.parametrize(
    ("text_", "part"),
    [
        ("héllo", "l"),
        ("abc", ""),
        (1.5, "."),
        (1e20, "e"),
        (5.0, ".0"),
        (12, 2),
        (None, "a"),
        (b"ab", b"b"),
        ("aaa", "aa"),
    ],
)
def test_our_functions_give_what_those_of_sqlite_give(text_: Any, part: Any) -> None:
    own, ours = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    hold_functions_in(ours)
    calls = "SELECT instr(:t, :p), replace(:t, :p, 'zz'), trim(:t, :p), ltrim(:t, :p), rtrim(:t, :p)"
    values = {"t": text_, "p": part}
    assert ours.execute(calls, values).fetchone() == own.execute(calls, values).fetchone()
    own.close()
    ours.close()


def test_the_functions_that_people_use_are_allowed() -> None:
    assert {
        "count",
        "sum",
        "avg",
        "group_concat",
        "json_extract",
        "->>",
        "substr",
        "row_number",
        "strftime",
    } <= ALLOWED


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_query_that_would_run_for_ever(store: Path) -> None:
    code = """
import signal, sys
from evolver_store.connect import reading
from sqlalchemy import text
endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"
try:
    with reading(sys.argv[1]) as engine, engine.connect() as conn:
        print("ready", flush=True)
        conn.execute(text(endless)).all()
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen([sys.executable, "-c", code, store], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"


def test_a_row_that_is_its_own_ancestor_ends_every_walk(store: Path) -> None:
    writer = open_for_writing(store)
    row = (
        "INSERT INTO instructions (id, run_id, root_id, parent_id, epoch, attempt, family, status, prompt_tokens,"
        " completion_tokens, created_at)"
        " VALUES (:id, 1, :id, :parent, 0, :n, 'seed', 'seed', 0, 0, '2026-01-01 00:00:00')"
    )
    with writer.begin() as conn:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        conn.execute(
            text(
                "INSERT INTO runs (id, name, status, settings, epochs, seed, model, evolver_version, created_at)"
                " VALUES (1, 'r', 'finished', '{}', 1, 0, 'm', '0', '2026-01-01 00:00:00')".replace(
                    "'{}'", "'null'"
                )
            )
        )
        conn.execute(text(row), {"id": row_id(1, 0), "parent": row_id(1, 1), "n": 0})
        conn.execute(text(row), {"id": row_id(1, 1), "parent": row_id(1, 0), "n": 1})
    writer.dispose()
    with reading(store) as engine, engine.connect() as conn:
        assert len(ancestors(conn, row_id(1, 0))) == len(descendants(conn, row_id(1, 0))) == 2


def test_a_walk_still_goes_from_seed_to_leaf(known_store: str) -> None:
    with reading(known_store) as engine, engine.connect() as conn:
        assert next(row["id"] for row in ancestors(conn, A3)) == A
