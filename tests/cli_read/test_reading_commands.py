"""The commands that read a store: runs, stats, lineage, diff and sql, on both databases."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, update

from evolver.cli.main import main
from evolver.errors import QueryError, RunMissingError, SettingsError, StoreError, StoreMissingError
from evolver_store.connect import open_for_writing
from evolver_store.names import name_of
from evolver_store.schema import instructions, row_id, runs
from tests.known_store import A1, A2, A3, B1, B2, B3, NOW, ROWS, A, B, a_run
from tests.postgres_fixture import MakeStore

WIDE = {"COLUMNS": "200", "NO_COLOR": "1"}


def evolve(*words: object, store: str | None = None, **more: Any) -> Result:
    """Run a command that must end well."""
    given = [str(word) for word in words] + ([] if store is None else ["--store", store])
    result = CliRunner(env=WIDE | more.pop("env", {})).invoke(main, given, catch_exceptions=False, **more)
    assert result.exit_code == 0, result.output
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_runs_lists_each_run_with_what_became_of_it(known_store: str) -> None:
    first, second = lines(evolve("runs", "--json", store=known_store))

    assert (first["name"], first["attempts"], first["survivors"], first["cost_usd"]) == ("first", 9, 5, 1.0)
    assert first["created_at"] == "2026-01-02T03:04:05+00:00"
    assert second["cost_usd"] is None


def test_runs_draws_a_table_with_the_names_that_other_commands_take(known_store: str) -> None:
    header, first, _ = evolve("runs", store=known_store).stdout.splitlines()

    assert header.split() == ["run", "status", "model", "epochs", "seeds", "survivors", "cost"]
    assert first.split()[:2] == ["first", "finished"]


def test_runs_of_an_empty_store_say_how_to_make_one(make_store: MakeStore) -> None:
    store = make_store("sqlite")
    open_for_writing(store).dispose()

    result = evolve("runs", store=store)
    assert result.stdout == ""
    assert "evolve --pool" in result.stderr


def test_stats_are_of_the_newest_run_unless_one_is_named(known_store: str) -> None:
    assert lines(evolve("stats", "--json", store=known_store))[0]["run"] == "second"
    assert lines(evolve("stats", "--run", "first", "--json", store=known_store))[0]["run"] == "first"


def test_stats_give_every_figure_a_line(known_store: str) -> None:
    figures = lines(evolve("stats", "--run", "first", "--json", store=known_store))

    kinds = [figure["figure"] for figure in figures]
    assert kinds == ["run", *["epoch"] * 3, *["mutator"] * 6, *["lengths"] * 4, *["paid"] * 3]
    assert figures[0]["eliminated"] == {"no_information_gain": 2, "refusal": 1}
    assert figures[0]["judge"] == {
        "asked": 7,
        "equal": 1,
        "undecided": 1,
        "pass_rate": 0.8571,
        "strict": False,
    }


def test_stats_draw_epoch_by_mutator_by_rule(known_store: str) -> None:
    drawn = evolve("stats", "--run", "first", store=known_store).stdout

    rows = [line.split() for line in drawn.splitlines()]
    assert ["3", "concretize", "2", "50.0%", "0", "0", "1"] in rows
    assert ["all", "9", "55.6%", "2", "1", "1"] in rows
    assert "The judge let 85.7% of 7 rewrites live, 1 undecided." in drawn
    assert "Failed, by class of error: content_filter 1." in drawn


def test_stats_lose_no_digit_in_a_narrow_terminal(known_store: str) -> None:
    wide = evolve("stats", "--run", "first", store=known_store).stdout
    narrow = evolve("stats", "--run", "first", store=known_store, env={"COLUMNS": "20"}).stdout

    assert {word for word in wide.split() if word[0].isdigit()} <= set(narrow.split())


def test_stats_warn_of_a_judge_that_eliminates_more_than_30_percent(known_store: str) -> None:
    mild = evolve("stats", "--run", "second", store=known_store)
    strict = evolve("stats", "--run", "first", store=known_store)

    assert "warning" not in mild.stderr
    assert "epoch 2, concretize" in strict.stderr  # 1 of 2 there, 1 of 7 overall
    assert "--no-judge" in strict.stderr
    assert "warning" not in strict.stdout


def test_stats_do_not_blame_the_judge_for_a_run_that_was_stopped(make_store: MakeStore) -> None:
    store = make_store("sqlite")
    engine = open_for_writing(store)
    dead = {"instruction": "x", "epoch": 1, "status": "eliminated", "rule": "no_information_gain"}
    row = {
        **ROWS[2],
        **dead,
        "id": row_id(1, 0, 1, 1),
        "parent_id": row_id(1, 0),
        "details": {"judge": "equal"},
    }
    with engine.begin() as conn:
        conn.execute(insert(runs), [{**a_run(1, "first", 1), "status": "stopped"}])
        conn.execute(insert(instructions), [ROWS[0], row])
    told = evolve("stats", store=store)
    assert "warning" not in told.stderr
    assert "those that wait for their answer are not counted yet" in told.stdout
    assert not lines(evolve("stats", "--json", store=store))[0]["judge"]["strict"]
    with engine.begin() as conn:
        conn.execute(update(runs).values(status="finished"))
    engine.dispose()
    assert "the judge calls 100% of the rewrites equal" in evolve("stats", store=store).stderr
    assert lines(evolve("stats", "--json", store=store))[0]["judge"]["strict"]


def test_a_run_that_is_not_there_is_one_sentence(known_store: str) -> None:
    with pytest.raises(RunMissingError, match="no run is named 'third'"):
        evolve("stats", "--run", "third", store=known_store)


def test_lineage_draws_the_family_with_what_killed_the_dead(known_store: str) -> None:
    drawn = evolve("lineage", A3, store=known_store).stdout.splitlines()

    assert drawn == [
        f"{A} 1 seed Sort a list.",
        f"└── {A1} 1/1 deepen ✓ Sort a list of words by length.",
        f"    ├── {A2} 1/2 concretize ✗ Sort a list of words by their length.",
        "    │   no_information_gain: the judge says 'Equal'",
        f"    └── ▶ {A3} 1/3 breadth ✓ Write a poem about sorting.",
    ]


def test_lineage_shows_hostile_texts_as_they_are_and_obeys_none(known_store: str) -> None:
    drawn = evolve("lineage", B, store=known_store, env={"NO_COLOR": ""}).stdout

    assert 'Sing [bold]a[/bold] "song"␛[31m on \\ of 歌.' in drawn
    assert "\x1b[31m" not in drawn
    assert f"{B3} 2/3 concretize ! (no text)" in drawn


def test_lineage_keeps_to_the_width_of_the_terminal(known_store: str) -> None:
    drawn = evolve("lineage", A, store=known_store, env={"COLUMNS": "50"}).stdout.splitlines()

    assert max(map(len, drawn)) <= 50
    assert any(line.endswith("…") for line in drawn)


def test_lineage_shows_whole_texts_when_asked(known_store: str) -> None:
    drawn = evolve("lineage", A, "--full", store=known_store, env={"COLUMNS": "50"}).stdout

    assert "…" not in drawn
    assert "response: Use sorted()." in drawn


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([A3], [A, A1, A2, A3]),
        ([A3, "--ancestors"], [A, A1, A3]),
        ([A1, "--descendants"], [A1, A2, A3]),
        ([B1, "--descendants"], [B1]),
    ],
)
def test_lineage_prints_rows_in_the_order_of_ids(
    known_store: str, options: list[Any], ids: list[int]
) -> None:
    rows = lines(evolve("lineage", *options, "--json", store=known_store))

    assert [row["id"] for row in rows] == ids
    assert set(rows[0]) == {*ROWS[0], "name"}
    assert rows[-1]["name"] == name_of(ids[-1])


def test_lineage_writes_files_that_other_programs_read(known_store: str) -> None:
    graphml = evolve("lineage", B, "--graphml", store=known_store).stdout
    dot = evolve("lineage", A2, "--ancestors", "--dot", store=known_store).stdout

    assert (
        len([one for one in ElementTree.fromstring(graphml.encode()).iter() if one.tag.endswith("edge")]) == 3
    )
    assert dot.startswith("digraph")
    assert dot.count("->") == 2
    assert str(A3) not in dot


def test_lineage_refuses_two_shapes_at_once(known_store: str) -> None:
    result = CliRunner().invoke(main, ["lineage", str(A), "--json", "--dot", "--store", known_store])

    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_diff_marks_what_changed(known_store: str) -> None:
    result = evolve("diff", A2, store=known_store)

    assert result.stdout == "Sort a list of words by {+their+} length.\n"
    assert f"{A1} 1/1 -> {A2} 1/2, concretize, eliminated no_information_gain" in result.stderr


def test_diff_gives_operations_that_join_to_both_texts(known_store: str) -> None:
    (change,) = lines(evolve("diff", A1, "--json", store=known_store))

    assert (change["id"], change["parent_id"], change["mutator"]) == (A1, A, "deepen")
    assert "".join(op["old"] for op in change["ops"]) == "Sort a list."
    assert "".join(op["new"] for op in change["ops"]) == "Sort a list of words by length."


def test_diff_says_when_nothing_changed(known_store: str) -> None:
    result = evolve("diff", B2, store=known_store)

    assert "The texts are equal word by word." in result.stderr
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("id_", "said"),
    [(A, "is a seed"), (B3, "failed before there was a text"), (7, "It would be row 7 of its run")],
)
def test_diff_of_what_has_none_is_one_sentence(known_store: str, id_: int, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        evolve("diff", id_, store=known_store)


@pytest.mark.parametrize(("no_color", "shown"), [("", b"\x1b[1;32m"), ("1", b"{+their+}")])
def test_diff_is_coloured_on_a_terminal_unless_no_color_is_set(
    known_store: str, no_color: str, shown: bytes
) -> None:
    ours, theirs = pty.openpty()
    code = "from evolver.cli.main import run; run()"
    command = [sys.executable, "-c", code, "diff", str(A2), "--store", known_store]
    env = {**os.environ, "TERM": "xterm", "NO_COLOR": no_color}
    if not no_color:
        del env["NO_COLOR"]
    subprocess.run(command, stdout=theirs, check=True, env=env)
    os.close(theirs)
    assert shown in os.read(ours, 10_000)
    os.close(ours)


def test_sql_prints_json_lines(known_store: str) -> None:
    result = evolve(
        "sql", "SELECT id, mutator FROM instructions WHERE epoch = 1 ORDER BY id", "--json", store=known_store
    )

    assert lines(result)[0] == {"id": A1, "mutator": "deepen"}


def test_sql_prints_values_that_json_does_not_have(known_store: str) -> None:
    sql = "SELECT AVG(epoch) AS mean, SUM(prompt_tokens) AS sum, MAX(cost_usd) AS most FROM instructions"
    (row,) = lines(evolve("sql", sql, "--json", store=known_store))

    assert row == {"mean": pytest.approx(19 / 14), "sum": 100, "most": 0.5}


def test_sql_numbers_columns_of_one_name(known_store: str) -> None:
    assert lines(evolve("sql", "SELECT 1 AS a, 2 AS a, 3 AS a_2", "--json", store=known_store)) == [
        {"a": 1, "a_2": 2, "a_2_2": 3}
    ]


def test_sql_prints_csv_that_reads_back(known_store: str) -> None:
    sql = "SELECT id, instruction, response FROM instructions WHERE epoch = 0 AND run_id = 1 ORDER BY id"
    rows = list(csv.reader(io.StringIO(evolve("sql", sql, "--csv", store=known_store).stdout)))

    seeds = [row for row in ROWS if row["epoch"] == 0 and row["run_id"] == 1]
    assert rows == [
        ["id", "instruction", "response"],
        *([str(row["id"]), row["instruction"], row["response"] or ""] for row in seeds),
    ]


def test_sql_draws_a_table_without_cutting_cells(known_store: str) -> None:
    sql = "SELECT id, instruction, reason FROM instructions WHERE run_id = 1 ORDER BY id"
    drawn = evolve("sql", sql, store=known_store, env={"COLUMNS": "40"}).stdout

    assert str(A2) in drawn
    assert "…" not in drawn
    assert "\x1b" not in drawn


def test_sql_says_when_a_table_holds_the_first_rows_only(known_store: str) -> None:
    sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {}) SELECT x FROM n"
    whole, cut = (evolve("sql", sql.format(rows), store=known_store) for rows in (1000, 1001))

    assert whole.stderr == ""
    assert "The first 1,000 rows; there are more" in cut.stderr
    assert len(cut.stdout.splitlines()) == 1001


def test_sql_prints_the_first_rows_when_asked(known_store: str) -> None:
    assert (
        len(lines(evolve("sql", "SELECT id FROM instructions", "--limit", 2, "--json", store=known_store)))
        == 2
    )


def test_sql_reads_a_query_from_stdin(known_store: str) -> None:
    assert lines(evolve("sql", "-", "--json", store=known_store, input="SELECT 7 AS seven")) == [{"seven": 7}]


def test_sql_asks_named_queries_of_the_newest_run_unless_one_is_named(known_store: str) -> None:
    newest = lines(evolve("sql", "--named", "deepest-families", "--json", store=known_store))
    first = lines(evolve("sql", "--named", "deepest-families", "--run", "first", "--json", store=known_store))

    assert [row["survivors"] for row in newest] == [1]
    assert [row["survivors"] for row in first] == [3, 2]


def test_sql_lists_the_named_queries_without_a_store() -> None:
    assert len(lines(evolve("sql", "--list", "--json"))) == 10
    assert "deepest-families" in evolve("sql", "--list").stdout


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["SELECT 1", "--list"],
        ["SELECT 1", "--json", "--csv"],
        ["SELECT 1", "--run", "first"],
        ["SELECT 1", "--timeout", "0"],
    ],
)
def test_sql_refuses_options_that_exclude_each_other(known_store: str, words: list[str]) -> None:
    assert CliRunner().invoke(main, ["sql", *words, "--store", known_store]).exit_code == 2


def test_sql_gives_a_query_the_time_it_was_told(known_store: str) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n"

    with pytest.raises(QueryError, match=r"longer than 0\.1 s"):
        evolve("sql", endless, "--timeout", "0.1", store=known_store)


def test_sql_ends_quietly_when_its_reader_has_enough(known_store: str) -> None:
    numbers = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 50000) SELECT x FROM n"
    )
    code = "from evolver.cli.main import run; run()"
    command = [sys.executable, "-c", code, "sql", numbers, "--json", "--store", known_store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b'{"x": 1}\n'
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVOLVE_STORE", raising=False)
    return tmp_path


def test_the_store_is_named_by_flag_then_variable_then_file(folder: Path) -> None:
    for name in ("flag", "variable", "file", "evolve"):
        engine = open_for_writing(f"{name}.db")
        with engine.begin() as conn:
            run: dict[str, Any] = {
                "id": 1,
                "name": name,
                "status": "finished",
                "settings": {},
                "pool": "",
                "pool_sha256": "",
            }
            more = {"epochs": 1, "seed": 0, "model": "", "evolver_version": "", "created_at": NOW}
            conn.execute(insert(runs), [run | more])
        engine.dispose()

    assert lines(evolve("runs", "--json"))[0]["name"] == "evolve"
    (folder / "evolve.toml").write_text('store = "file.db"\n', encoding="utf-8")
    assert lines(evolve("runs", "--json"))[0]["name"] == "file"
    variable = {"EVOLVE_STORE": "variable.db"}
    assert lines(evolve("runs", "--json", env=variable))[0]["name"] == "variable"
    assert lines(evolve("runs", "--json", store="flag.db", env=variable))[0]["name"] == "flag"


def test_a_broken_settings_file_is_one_sentence(folder: Path) -> None:
    (folder / "evolve.toml").write_text("store = \n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"evolve\.toml cannot be read"):
        evolve("runs")


@pytest.mark.parametrize("words", [["runs"], ["stats"], ["lineage", "1"], ["diff", "1"], ["sql", "SELECT 1"]])
def test_reading_a_store_that_is_not_there_makes_none(folder: Path, words: list[str]) -> None:
    with pytest.raises(StoreMissingError):
        evolve(*words)

    assert os.listdir(folder) == []


def test_help_loads_no_heavy_package() -> None:
    code = (
        "import sys\n"
        "from evolver.cli import runs, stats, lineage, diff, sql\n"
        "print([name for name in ('sqlalchemy', 'rich', 'networkx', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_stats_tells_of_a_run_whose_pool_is_not_stored_whole(store_url: str) -> None:
    engine = open_for_writing(store_url)
    half = {**a_run(1, "first", 3), "seeds": None, "status": "running"}
    with engine.begin() as conn:
        conn.execute(insert(runs), [half])
        conn.execute(insert(instructions), ROWS[:3])
    engine.dispose()

    told = evolve("stats", "--run", "first", store=store_url).stdout.splitlines()[0]
    assert told == "Run first: interrupted, its pool not stored whole yet, script/1"
    figures = lines(evolve("stats", "--run", "first", "--json", store=store_url))
    assert figures[0]["seeds"] is None
