"""The settings that shape a pool, from the command line to the store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from evolver import Evolution
from evolver.errors import SettingsError, UsageError
from evolver.pool import Pool, PoolReport, Reading
from evolver.pool.reading import parse_columns, parse_filter, parse_join
from evolver.settings import given_settings
from evolver_store.connect import reading

TURNS = [
    {"role": "system", "content": "Be a pirate."},
    {"role": "user", "content": "Name a colour."},
    {"role": "assistant", "content": "Blue, arr."},
    {"role": "user", "content": "Another."},
    {"role": "assistant", "content": "Red, arr."},
]


def pairs(
    rows: list[object], how: Reading | None = None, report: PoolReport | None = None
) -> list[tuple[str, str | None]]:
    return [(seed.instruction, seed.response) for seed in Pool(rows, how).seeds(report)]


def test_the_first_turn_is_the_seed_and_the_rest_is_counted() -> None:
    report = PoolReport()

    assert pairs([{"messages": TURNS}], report=report) == [("Name a colour.", "Blue, arr.")]
    assert report.unused_in_words() == "1 later user turns (--turns all), 1 system texts (--join system)"


def test_with_all_turns_each_is_a_seed_with_what_came_before_as_its_input() -> None:
    report = PoolReport()

    assert pairs([{"messages": TURNS}], Reading(turns="all"), report) == [
        ("Name a colour.", "Blue, arr."),
        ("Another.\nUser: Name a colour.\nAssistant: Blue, arr.", "Red, arr."),
    ]
    assert report.unused_in_words() == "2 system texts (--join system)"
    assert (report.read, report.seeds) == (2, 2)


def test_a_system_text_is_joined_before_the_instruction_where_that_is_asked_for() -> None:
    how = Reading(join=frozenset({"system"}))
    rows: list[object] = [
        {"messages": TURNS},
        {"system_prompt": "Be brief.", "question": "Why?", "response": "x"},
    ]

    assert pairs(rows, how) == [("Be a pirate.\nName a colour.", "Blue, arr."), ("Be brief.\nWhy?", "x")]


def test_a_context_is_the_input_where_there_is_no_other_and_counted_or_joined_where_there_is() -> None:
    alone: dict[str, object] = {"instruction": "When?", "context": "In 2000.", "response": "2000"}
    both = {**alone, "input": "Here."}
    report = PoolReport()

    assert pairs([alone, both], report=report) == [("When?\nIn 2000.", "2000"), ("When?\nHere.", "2000")]
    assert report.unused_in_words() == "1 contexts (--join context)"
    assert pairs([both], Reading(join=frozenset({"context"}))) == [("When?\nHere.\nIn 2000.", "2000")]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("instruction<6", ["Say x"]),
        ("instruction <= 5", ["Say x"]),
        ("instruction>5", ["Count to ten"]),
        ("instruction>=3w", ["Count to ten"]),
        ("instruction<3w", ["Say x"]),
        ("response>1", ["Say x"]),
    ],
)
def test_a_filter_keeps_seeds_by_length_and_counts_the_others(said: str, kept: list[str]) -> None:
    report = PoolReport()
    rows: list[object] = [
        {"instruction": "Say x", "output": "xx"},
        {"instruction": "Count to ten", "output": "1" if said.startswith("response") else ""},
    ]

    assert [
        one for one, _ in pairs(rows, Reading(filters=(parse_filter(said),), strict=True), report)
    ] == kept
    assert report.skipped_in_words().startswith(f"1 filtered out by {''.join(said.split())} (first: row ")


@pytest.mark.parametrize(
    "said", ["", "instruction", "instruction<", "instruction<-1", "output<3", "instruction==3", "<3"]
)
def test_a_filter_that_is_none_is_wrong_usage(said: str) -> None:
    with pytest.raises(UsageError, match=r"--filter cannot be .*; nothing was started"):
        parse_filter(said)


@pytest.mark.parametrize("said", ["", "instruction", "instruction=", "=x", "colour=x"])
def test_a_column_that_is_no_pair_is_wrong_usage(said: str) -> None:
    with pytest.raises(UsageError, match=r"--column cannot be .*; nothing was started"):
        parse_columns([said])


def test_two_columns_for_one_field_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="two columns for response"):
        parse_columns(["response=a", "output=b"])


def test_nothing_else_can_be_joined() -> None:
    with pytest.raises(UsageError, match="--join cannot be 'weather'"):
        parse_join(["system", "weather"])


def run(pool: object, folder: Path, **settings: object) -> str:
    evolution = Evolution(pool, epochs=0, store=folder / "e.db", output=None, **settings)  # type: ignore[arg-type]
    return evolution.run().run


def test_settings_of_the_pool_name_another_run_and_the_usual_ones_keep_the_name(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text(json.dumps({"messages": TURNS}) + "\n")
    usual = run(pool, tmp_path)

    names = {
        usual,
        run(pool, tmp_path, turns="all"),
        run(pool, tmp_path, join=["system"]),
        run(pool, tmp_path, filter=["instruction<200"]),
        run(pool, tmp_path, column=["turns=messages"]),
    }

    assert len(names) == 5
    assert run(pool, tmp_path, turns="first", join=[]) == usual


def test_a_run_begun_with_a_filter_is_not_gone_on_with_without_it(tmp_path: Path) -> None:
    run(["Say x.", "Count to ten."], tmp_path, run="r", filter=["instruction<200"])

    with pytest.raises(SettingsError, match=r"begun with other settings \(filter\)"):
        run(["Say x.", "Count to ten."], tmp_path, run="r")


def test_the_account_of_the_pool_is_kept_with_the_run(tmp_path: Path) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text(json.dumps({"messages": TURNS, "kind": "chat"}) + "\n")
    run(pool, tmp_path)

    with reading(str(tmp_path / "e.db")) as engine, engine.connect() as conn:
        settings, details = conn.execute(
            text("SELECT r.settings, i.details FROM runs r JOIN instructions i ON i.run_id = r.id")
        ).one()
    account = json.loads(settings)["pool_read"]
    assert account["unused"] == {"later user turns": 1, "system texts": 1}
    assert account["format"] == "JSONL of messages rows"
    assert json.loads(details) == {"columns": {"kind": "chat"}}


def evolve(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from evolver.cli.main import run; run()", *arguments, "--store", "e.db"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_line_takes_columns_and_tells_what_was_not_used(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_bytes(
        "Domanda;Risposta;system\nPerché?;Così è;Sii breve.\n".encode("cp1252")
    )
    columns = ("--column", "instruction=Domanda", "--column", "response=Risposta")

    done = evolve(tmp_path, "--pool", "pool.csv", "--epochs", "0", *columns, "--output", "o.jsonl")

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "o.jsonl").read_text("utf-8")) == {
        "instruction": "Perché?",
        "output": "Così è",
    }
    told = " ".join(done.stderr.split())
    assert "Pool read as table of domanda rows, cp1252 (it is no UTF-8)." in told
    assert "Not used of the pool: 1 system texts (--join system)." in told


def test_a_wrong_filter_on_the_command_line_is_wrong_usage_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("Say x.\n")

    done = evolve(tmp_path, "--pool", "pool.txt", "--filter", "instruction=3")

    assert done.returncode == 2
    assert "--filter cannot be 'instruction=3'" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["pool.txt"]


def test_every_setting_of_the_pool_reaches_the_reading() -> None:
    from evolver.pool import reading_of

    settings = given_settings(
        pool="p",
        column=("instruction=a,b",),
        filter=("response>=2w",),
        join=("system",),
        turns="all",
        limit=3,
        strict=True,
    )

    assert reading_of(settings) == Reading(
        columns={"instruction": "a,b"},
        filters=(parse_filter("response>=2w"),),
        join=frozenset({"system"}),
        turns="all",
        strict=True,
        limit=3,
    )


def test_further_columns_of_the_pool_are_offered_by_provenance(tmp_path: Path) -> None:
    rows = [{"instruction": "Say x.", "output": "x", "kind": "é"}, {"instruction": "Say y.", "output": "y"}]
    (tmp_path / "pool.json").write_text(json.dumps(rows))
    done = evolve(tmp_path, "--pool", "pool.json", "--epochs", "1", "--no-judge", "--quiet")
    assert done.returncode == 0, done.stderr

    merged = evolve(tmp_path, "merge", "--provenance", "--output", "o.jsonl")

    assert merged.returncode == 0, merged.stderr
    found = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text("utf-8").splitlines()]
    roots = {row["root"]: row["columns"] for row in found}
    assert sorted(roots.values(), key=str) == [None, '{"kind": "é"}']
    assert len(found) > len(roots)
