"""``evolve merge`` as a user runs it: what it prints, how it ends, and that it leaves no half of a file."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from evolver.merge.formats import FORMATS
from evolver.merge.job import RunSource
from evolver.settings import FORMATS as NAMES

Plant = Callable[..., RunSource]
Evolve = Callable[..., subprocess.CompletedProcess[str]]

EVOLVE = Path(sys.executable).with_name("evolve")
BENCHMARK = '{"task_id": "B/1", "prompt": "one two three four five six seven eight nine"}\n'


def environment(**more: str) -> dict[str, str]:
    unwanted = ("EVOLVE_", "HF_", "HUGGING_FACE")
    return {name: value for name, value in os.environ.items() if not name.startswith(unwanted)} | more


@pytest.fixture
def evolve(tmp_path: Path) -> Evolve:
    """Run ``evolve merge`` in an empty folder."""

    def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(EVOLVE), "merge", *args],
            cwd=tmp_path,
            env=environment(**env),
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def store(plant: Plant, tmp_path: Path) -> Path:
    rows = [
        (0, 0, "Sort a list", "x"),
        (0, 1, "sort a LIST", "x"),
        (1, 0, "one two three four five six seven eight nine", "x"),
        (1, 1, "its child", "x"),
        (2, 0, "unanswered", None),
    ]
    plant(tmp_path / "evolve.db", rows)
    return tmp_path / "evolve.db"


def failed(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("evolve: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_every_format_can_be_asked_for() -> None:
    assert tuple(FORMATS) == NAMES


def test_the_newest_run_of_the_default_store_is_merged(evolve: Evolve, store: Path, tmp_path: Path) -> None:
    done = evolve()

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "Dataset merged.jsonl: 4 rows (2 seeds + 2 survivors).",
        "  from the run run1 (script, finished)",
        "          1 left out, without a response",
    ]
    assert len((tmp_path / "merged.jsonl").read_text().splitlines()) == 4


def test_everything_left_out_is_told_on_stderr_and_as_json_on_stdout(
    evolve: Evolve, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "b.jsonl").write_text(BENCHMARK)
    (tmp_path / "oss.jsonl").write_text('{"problem": "p", "solution": "s"}\n{"problem": [[]]}\n')

    done = evolve(
        *("--oss", "oss.jsonl", "--dedup", "exact", "--decontaminate", "b.jsonl", "--limit", "2", "--json"),
        *("--report", "r.json", "--output", "o.json"),
    )

    assert done.returncode == 0
    figures = json.loads(done.stdout)
    assert figures["rows"] == 2
    assert figures["dropped"] == {"contaminated": 1, "exact_duplicate": 1}
    assert figures["oss_skipped"] == {"instruction is not text": 1}
    assert figures["not_drawn"] == 1
    for line in ("1 dropped, contaminated", "1 dropped, exact duplicate", "1 left out by --limit or --ratio"):
        assert line in done.stderr
    [contaminated, duplicate] = json.loads((tmp_path / "r.json").read_text())["dropped_rows"]
    assert (contaminated["item"], contaminated["method"], contaminated["score"]) == (
        "b.jsonl B/1",
        "substring",
        1,
    )
    assert duplicate["reason"] == "exact_duplicate"


def test_families_go_with_their_contaminated_ancestor(evolve: Evolve, store: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(BENCHMARK)

    flagged = evolve("--decontaminate", "b.jsonl")
    dropped = evolve("--decontaminate", "b.jsonl", "--decontaminate-families")

    assert "1 kept, with a contaminated ancestor" in flagged.stderr
    assert "1 dropped, contaminated family" in dropped.stderr


def test_order_epochs_ratio_format_and_provenance_reach_the_file(
    evolve: Evolve, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "oss.jsonl").write_text("".join(f'{{"problem": "{n}", "solution": "s"}}\n' for n in range(9)))

    done = evolve(
        *("--oss", "oss.jsonl", "--order", "sequential", "--epochs", "1", "--ratio", "evol=0.5,oss=0.5"),
        *("--format", "messages", "--provenance", "--seed", "3", "--quiet"),
    )

    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in (tmp_path / "merged.jsonl").read_text().splitlines()]
    assert [(row["source"], row["epoch"]) for row in rows] == [("oss", 0)] * 2 + [("evol", 1)] * 2
    assert [turn["role"] for turn in rows[0]["messages"]] == ["user", "assistant"]


def test_several_stores_are_joined(evolve: Evolve, store: Path, plant: Plant, tmp_path: Path) -> None:
    plant(tmp_path / "other.db", [(0, 0, "other", "x")], run=7)

    done = evolve("--store", "evolve.db", "--store", "other.db", "--run", "run7", "--run", "run1", "--json")

    assert json.loads(done.stdout)["seeds"] == 3


def test_a_file_alone_needs_no_store(evolve: Evolve, tmp_path: Path) -> None:
    (tmp_path / "oss.jsonl").write_text('{"instruction": "i", "response": "r"}\n')

    assert evolve("--oss", "oss.jsonl").returncode == 0
    failed(evolve("--oss", "oss.jsonl", EVOLVE_STORE="none.db"), "there is no store at none.db")
    failed(evolve("--oss", "oss.jsonl", "--run", "a"), "there is no store at evolve.db")


def damage(store: Path, sql: str) -> None:
    with sqlite3.connect(store) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        conn.execute(sql)
    conn.close()


def test_a_store_that_is_none_is_one_sentence(evolve: Evolve, tmp_path: Path) -> None:
    (tmp_path / "evolve.db").write_text("no database at all, but a text of some length " * 100)
    failed(evolve(), "is no SQLite database")
    (tmp_path / "evolve.db").unlink()
    damage(tmp_path / "evolve.db", "CREATE TABLE songs (name TEXT)")
    failed(evolve(), "evolve.db")
    assert not (tmp_path / "merged.jsonl").exists()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("INSERT INTO evolver_migrations VALUES (999, '2026-01-01')", "newer"),
        ("ALTER TABLE instructions RENAME COLUMN response TO reply", "response"),
    ],
)
def test_a_newer_schema_or_a_missing_column_is_one_sentence_and_no_file(
    evolve: Evolve, plant: Plant, tmp_path: Path, sql: str, words: str
) -> None:
    source = plant(tmp_path / "evolve.db", [(0, 0, "a", "b")])
    source.engine.dispose()
    damage(tmp_path / "evolve.db", "DROP VIEW survivors")
    damage(tmp_path / "evolve.db", sql)
    before = {path.name for path in tmp_path.iterdir()}

    failed(evolve(), words)

    assert {path.name for path in tmp_path.iterdir()} - before <= {"evolve.db-wal", "evolve.db-shm"}


def test_a_half_written_file_is_one_sentence_and_no_file(evolve: Evolve, store: Path, tmp_path: Path) -> None:
    (tmp_path / "oss.jsonl").write_text('{"problem": "p", "solution": "s"}\n{"problem": "q", "sol')

    failed(evolve("--oss", "oss.jsonl", "--output", "set"), "is cut off in line 2")

    assert {path.name for path in tmp_path.iterdir()} == {
        "evolve.db",
        "evolve.db-shm",
        "evolve.db-wal",
        "oss.jsonl",
    }


@pytest.mark.parametrize(
    "args", [("--epochs", "a-b"), ("--epochs", "1-"), ("--ratio", "evol"), ("--order", "no")]
)
def test_an_option_that_cannot_be_read_is_wrong_usage(evolve: Evolve, args: tuple[str, str]) -> None:
    assert evolve(*args).returncode == 2


def test_a_push_without_a_token_writes_nothing(evolve: Evolve, store: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")

    failed(evolve("--output", "set", "--push", "me/set"), "HF_TOKEN", "nothing was written")

    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("output", ["o.jsonl", "set"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_merge_that_is_stopped_leaves_no_part_of_a_file(
    evolve: Evolve, plant: Plant, tmp_path: Path, number: signal.Signals, output: str
) -> None:
    """The file comes through a pipe whose other end waits, so the signal arrives in the middle of the merge."""
    plant(tmp_path / "evolve.db", [(0, 0, "a", "b")]).engine.dispose()
    os.mkfifo(tmp_path / "oss.jsonl")
    before = {path.name for path in tmp_path.iterdir()}
    command = [str(EVOLVE), "merge", "--oss", "oss.jsonl", "--output", output]

    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        with (tmp_path / "oss.jsonl").open("w") as pipe:  # opens when the merge reads it
            pipe.write('{"problem": "p", "solution": "s"}\n')
            pipe.flush()
            process.send_signal(number)
        assert process.stderr is not None
        said = process.stderr.read()
        process.wait()

    assert process.returncode == 130
    assert "the merge was interrupted; no dataset was written" in said
    assert {path.name for path in tmp_path.iterdir()} == before
