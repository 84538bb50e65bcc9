"""Rows by the names that people give them, found by their text or by chance, and whole runs as graph files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import pytest
from click.testing import CliRunner, Result

from evolver.cli.main import main
from evolver.errors import RunMissingError, StoreError
from evolver_store.names import is_name, name_of
from evolver_store.schema import row_id
from tests.known_store import A1, A2, A3, C1, C2, C3, OTHER, ROWS, A, B, C


def evolve(*words: object, store: str, code: int = 0) -> Result:
    env = {"COLUMNS": "200", "NO_COLOR": "1"}
    result = CliRunner(env=env).invoke(main, [*map(str, words), "--store", store], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("place", "name"),
    [((1, 16, 0, 0), "17"), ((1, 16, 2, 1), "17/2"), ((9, 16, 2, 3), "17/2.3"), ((1, 0, 63, 63), "1/63.63")],
)
def test_a_seed_is_counted_from_1_and_a_further_try_has_its_number(
    place: tuple[int, int, int, int], name: str
) -> None:
    assert name_of(row_id(*place)) == name
    assert is_name(name)


@pytest.mark.parametrize(
    "text", ["", "x", "17/", "/2", "17/0", "17/2.0", "17/2.", "-1", "1 7", "１７", "17/2/3"]
)
def test_what_is_no_name_is_wrong_usage_that_shows_one(known_store: str, text: str) -> None:
    assert not is_name(text)
    said = evolve("lineage", "--", text, store=known_store, code=2) if text != "-1" else None
    assert said is None or "17/2" in said.stderr or "Usage" in said.stderr


@pytest.mark.parametrize(
    ("row", "id_"), [("1", A), ("1/2", A2), ("1/3.1", A3), ("3", C), ("3/1", C1), (A2, A2), (B, B)]
)
@pytest.mark.parametrize("question", ["--descendants", "--ancestors"])
def test_lineage_takes_a_name_and_an_id_alike(known_store: str, row: object, id_: int, question: str) -> None:
    named = lines(evolve("lineage", row, question, "--run", "first", "--json", store=known_store))
    by_id = lines(evolve("lineage", id_, question, "--json", store=known_store))
    assert named == by_id
    assert id_ in [one["id"] for one in named]
    assert all(one["name"] == name_of(one["id"]) for one in named)


def test_a_name_is_meant_in_the_newest_run_unless_one_is_named(known_store: str) -> None:
    assert lines(evolve("lineage", "1", "--json", store=known_store))[0]["id"] == OTHER
    assert lines(evolve("lineage", "1", "--run", "first", "--json", store=known_store))[0]["id"] == A
    with pytest.raises(RunMissingError, match="no run is named 'third'"):
        evolve("lineage", "1", "--run", "third", store=known_store)


def test_a_name_that_no_row_has_is_one_sentence(known_store: str) -> None:
    with pytest.raises(StoreError, match="It would be row 17/2 of its run"):
        evolve("lineage", "17/2", store=known_store)


def test_diff_takes_a_name_and_says_both(known_store: str) -> None:
    result = evolve("diff", "1/2", "--run", "first", store=known_store)
    assert f"{A1} 1/1 -> {A2} 1/2, concretize" in result.stderr
    (change,) = lines(evolve("diff", "1/2", "--run", "first", "--json", store=known_store))
    assert (change["id"], change["name"]) == (A2, "1/2")


def test_grep_draws_the_family_that_holds_a_text_and_lists_where_several_do(known_store: str) -> None:
    one = evolve("lineage", "--grep", "BY LENGTH", "--run", "first", store=known_store)
    assert f"▶ {A1} 1/1" in one.stdout
    several = evolve(
        "lineage", "--grep", "poem about", "--run", "first", store=known_store
    ).stdout.splitlines()
    assert [line.split("\t")[:3] for line in several[1:]] == [
        [str(A3), "1/3", "survivor"],
        [str(C3), "3/3", "survivor"],
    ]
    rows = lines(evolve("lineage", "--grep", "commas", "--run", "first", "--json", store=known_store))
    assert [row["id"] for row in rows] == [C2]


def test_grep_takes_signs_that_mean_something_in_sql_as_they_are(known_store: str) -> None:
    none = evolve("lineage", "--grep", "%", "--run", "first", store=known_store)
    assert none.stdout == ""
    assert "No instruction of the run first holds '%'." in none.stderr


def test_random_draws_a_family_of_the_run(known_store: str) -> None:
    drawn = evolve("lineage", "--random", "--run", "second", store=known_store).stdout
    assert str(OTHER) in drawn
    seen = {evolve("lineage", "--random", "--run", "first", store=known_store).stdout for _ in range(40)}
    assert len(seen) == 3  # the chance to miss one of three in 40 draws is 3 in 10 million


@pytest.mark.parametrize(
    "words", [[], ["--ancestors"], ["--full"], ["17", "--random"], ["--grep", "x", "--random"]]
)
def test_no_row_or_two_of_them_are_wrong_usage(known_store: str, words: list[str]) -> None:
    assert "17" in evolve("lineage", *words, store=known_store, code=2).stderr or len(words) > 1


@pytest.mark.parametrize("file_format", ["--graphml", "--gexf", "--json-graph"])
def test_a_graph_file_without_a_row_holds_the_whole_run(
    known_store: str, tmp_path: Path, file_format: str
) -> None:
    written = evolve("lineage", file_format, "--run", "first", store=known_store).stdout
    read: dict[str, Callable[[], networkx.DiGraph[Any]]] = {
        "--graphml": lambda: networkx.read_graphml(io.BytesIO(written.encode())),
        "--gexf": lambda: networkx.read_gexf(io.BytesIO(written.encode())),
        "--json-graph": lambda: networkx.node_link_graph(json.loads(written), edges="edges"),
    }
    graph = read[file_format]()
    rows = {row["id"]: row for row in ROWS if row["run_id"] == 1}
    assert {int(node) for node in graph} == set(rows)
    assert {(int(a), int(b)) for a, b in graph.edges} == {
        (row["parent_id"], id_) for id_, row in rows.items() if row["parent_id"]
    }
    dead = next(data for node, data in graph.nodes(data=True) if int(node) == A2)
    assert (dead["rule"], dead["name"], dead["epoch"]) == ("no_information_gain", "1/2", 2)
    assert json.loads(dead["details"])["judge"] == "equal"


def test_dot_without_a_row_holds_the_whole_run(known_store: str) -> None:
    written = evolve("lineage", "--dot", "--run", "first", store=known_store).stdout
    assert written.count("->") == 9
    assert written.rstrip().endswith("}")
