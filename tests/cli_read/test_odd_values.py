"""Values that evolver never writes, in a store from elsewhere: every reading command says so in a sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from evolver.cli.main import main
from evolver.errors import EvolverError
from evolver_store.connect import open_for_writing
from evolver_store.odd_values import odd_value
from evolver_store.schema import instructions, runs
from tests.known_store import ROWS, a_run

DEEP = "[" * 100_000 + "]" * 100_000
ODD = {
    "bytes for texts": "UPDATE instructions SET instruction = x'ff00fe', response = x'41'",
    "texts for numbers": "UPDATE instructions SET prompt_tokens = 'many', completion_tokens = x'01'",
    "no end of dollars": "UPDATE instructions SET cost_usd = 9e999",
    "deep details": f"UPDATE instructions SET details = '{DEEP}'",
    "broken details": "UPDATE instructions SET details = '{not json'",
    "details that are a list": "UPDATE instructions SET details = '[1]'",
    "deep settings": f"UPDATE runs SET settings = '{DEEP}'",
    "broken settings": "UPDATE runs SET settings = '{nope'",
    "settings that are a number": "UPDATE runs SET settings = '3'",
    "a day that is none": "UPDATE runs SET created_at = 'yesterday'",
    "a row's day that is none": "UPDATE instructions SET created_at = x'00'",
    "an epoch in words": "UPDATE instructions SET epoch = 'one' WHERE epoch = 1",
    "half an epoch": "UPDATE instructions SET epoch = 1.5 WHERE epoch = 1",
    "no UTF-8": "UPDATE instructions SET instruction = CAST(x'ff41' AS TEXT)",
    "seeds in words": "UPDATE runs SET seeds = 'x', epochs = 'y'",
}
COMMANDS = (
    "runs",
    "runs --json",
    "stats",
    "stats --json",
    "lineage 1",
    "lineage 1/1 --ancestors --json",
    "lineage --grep a",
    "lineage --graphml",
    "lineage --gexf",
    "lineage --dot",
    "lineage --json-graph",
    "diff 1/1",
    "compare first first",
    "merge --output m.jsonl --force --provenance",
    "merge --output folder --force",
    "batches",
)


@contextmanager
def a_store(path: Path, change: str = "") -> Iterator[str]:
    engine = open_for_writing(path)
    with engine.begin() as conn:
        conn.execute(insert(runs), [a_run(1, "first", 3)])
        conn.execute(insert(instructions), [row for row in ROWS if row["run_id"] == 1])
    engine.dispose()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(change)
        raw.commit()
    yield str(path)


@pytest.mark.parametrize("odd", ODD)
def test_what_evolver_never_writes_is_told_and_breaks_no_reading_command(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = 0
    with a_store(tmp_path / "e.db", ODD[odd]) as store:
        for command in COMMANDS:
            done = CliRunner().invoke(main, [*command.split(), "--store", store])
            assert isinstance(done.exception, EvolverError | SystemExit | None), command
            told += isinstance(done.exception, EvolverError) and "which evolver did not write" in str(
                done.exception
            )
        assert odd_value(Path(store)) is not None
    assert told or odd in {"no end of dollars", "half an epoch"}  # those can be shown as they are


def test_nothing_is_odd_in_a_store_of_our_own(tmp_path: Path) -> None:
    with a_store(tmp_path / "e.db") as store:
        assert odd_value(Path(store)) is None


def test_an_error_of_another_kind_stays_what_it_is(tmp_path: Path) -> None:
    with a_store(tmp_path / "e.db") as store:
        done = CliRunner().invoke(main, ["sql", "SELECT x FROM nowhere", "--store", store])
    assert isinstance(done.exception, EvolverError)
    assert "nowhere" in str(done.exception)
