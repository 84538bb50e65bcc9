"""On a real terminal: nothing that a store holds is obeyed, long tables come in a pager, and pipes get data whole."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert

from evolver_store.connect import open_for_writing
from evolver_store.schema import batches, instructions, row_id, runs
from tests.known_store import NOW, ROWS, a_run
from tests.obeyed import EVIL, obeyed_in, on_terminal

ROW, SEED = row_id(1, 0, 1, 1), row_id(1, 0)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store whose every text and name holds what a terminal obeys."""
    url = str(tmp_path_factory.mktemp("hostile") / "evolve.db")
    engine = open_for_writing(url)
    texts = dict.fromkeys(("instruction", "response", "model"), EVIL)
    dead = {"mutator": EVIL, "rule": EVIL, "reason": EVIL, "status": "eliminated", "details": {EVIL: EVIL}}
    run = {
        **a_run(1, f"first{EVIL}", 3),
        "pool": EVIL,
        "model": EVIL,
        "settings": {"shape": {"mutators": {EVIL: [1, ""]}}},
    }
    batch = {column.name: None for column in batches.c} | {
        "key": "k",
        "run_id": 1,
        "provider": EVIL,
        "model": EVIL,
        "provider_id": EVIL,
        "status": "ended",
        "requests": 1,
        "succeeded": 1,
        "failed": 0,
        "created_at": NOW,
    }
    with engine.begin() as conn:
        conn.execute(insert(runs), [run, {**a_run(2, f"second{EVIL}", 3), "pool": EVIL, "model": "m"}])
        rows = [{**ROWS[0], **texts}, {**ROWS[2], **texts, **dead, "id": ROW, "epoch": 1, "parent_id": SEED}]
        conn.execute(insert(instructions), rows)
        conn.execute(insert(batches), [batch])
    engine.dispose()
    return url


def piped(*words: str, store: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from evolver.cli.main import run; run()", *words, "--store", store]
    return subprocess.run(command, capture_output=True, text=True, check=True)


FIRST = ("--run", f"first{EVIL}")
TEXTS = "SELECT instruction, reason, details FROM instructions"


@pytest.mark.parametrize(
    "words",
    [
        ("runs",),
        ("runs", "--json"),
        ("runs", "rename", "none\x1b[2J", "x"),
        ("runs", "delete", f"second{EVIL}"),
        ("stats", *FIRST),
        ("stats", *FIRST, "--json"),
        ("stats", "--run", EVIL),
        ("batches",),
        ("lineage", str(ROW)),
        ("lineage", str(ROW), "--full"),
        ("lineage", str(ROW), "--json"),
        ("lineage", str(ROW), "--dot"),
        ("lineage", "--grep", "hidden", *FIRST, "--json"),
        ("lineage", "--json-graph", *FIRST),
        ("diff", str(ROW)),
        ("compare", f"first{EVIL}", f"second{EVIL}"),
        ("sql", TEXTS),
        ("sql", TEXTS, "--csv"),
        ("sql", TEXTS, "--json"),
        ("sql", f'SELECT instruction AS "a{EVIL}" FROM instructions', "--csv"),
        ("sql", f'SELECT "{EVIL}" FROM nowhere'),
    ],
    ids=lambda words: " ".join(word for word in words if "\x1b" not in word and "SELECT" not in word),
)
def test_nothing_that_a_store_holds_is_obeyed_by_a_terminal(hostile: str, words: tuple[str, ...]) -> None:
    got = on_terminal(*words, "--store", hostile)
    assert got
    assert obeyed_in(got) == []


def test_json_on_a_terminal_holds_the_same_data(hostile: str) -> None:
    got = on_terminal("sql", TEXTS, "--json", "--store", hostile)
    first = next(line for line in got.splitlines() if line.startswith(b"{"))
    assert json.loads(first)["instruction"] == EVIL


def test_pipes_get_data_whole(hostile: str) -> None:
    as_json = piped("sql", TEXTS, "--json", store=hostile).stdout
    assert "\u202e" in as_json
    assert json.loads(as_json.splitlines()[0])["instruction"] == EVIL
    rows = list(csv.reader(io.StringIO(piped("sql", TEXTS, "--csv", store=hostile).stdout)))
    assert rows[1][0] == EVIL


def test_csv_tells_once_of_cells_that_a_spreadsheet_computes_and_leaves_them(hostile: str) -> None:
    done = piped("sql", "SELECT '=1+1' AS a, '+x' AS b, 'plain' AS c, -5 AS d", "--csv", store=hostile)
    assert done.stdout == "a,b,c,d\n=1+1,+x,plain,-5\n"
    assert done.stderr.count("2 cells begin with =, +, - or @") == 1
    assert piped("sql", "SELECT 'plain' AS c, -5 AS d", "--csv", store=hostile).stderr == ""


def test_a_table_in_a_pipe_is_one_whole_row_a_line(hostile: str) -> None:
    sql = "SELECT 1099511627776 AS id, 1234567 AS many, 'a' || char(10) || 'b' || char(9) || 'c\\' AS text"
    lines = piped("sql", sql, store=hostile).stdout.splitlines()
    assert lines == ["id\tmany\ttext", "1099511627776\t1234567\ta\\nb\\tc\\\\"]
    wide = piped("sql", f"SELECT '{'x' * 5_000}' AS text", store=hostile).stdout.splitlines()
    assert [len(line) for line in wide] == [4, 5_000]


def test_an_id_on_a_terminal_has_its_name_beside_it(hostile: str) -> None:
    got = on_terminal("sql", "SELECT id, run_id FROM instructions WHERE epoch = 1", "--store", hostile)
    assert f"{ROW} 1/1".encode() in got


@pytest.mark.parametrize(("more", "paged"), [((), True), (("--no-pager",), False)])
def test_a_long_table_comes_in_the_pager_unless_it_is_not_wanted(
    hostile: str, tmp_path: Path, more: tuple[str, ...], *, paged: bool
) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\necho IN-THE-PAGER\ncat\n")
    pager.chmod(0o755)
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT x FROM n"
    env = {"PAGER": str(pager)}
    long, short = (
        on_terminal("sql", numbers.format(rows), *more, "--store", hostile, env=env) for rows in (60, 5)
    )
    assert (b"IN-THE-PAGER" in long) == paged
    assert b"60" in long
    assert b"IN-THE-PAGER" not in short
