"""``Lineage``: a store as Python code reads it, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import networkx
import pytest

from evolver import Lineage
from evolver.errors import QueryError, RunMissingError, StoreError, StoreMissingError
from tests.known_store import A1, A2, A3, OTHER, ROWS, A, B, C
from tests.postgres_fixture import MakeStore


@pytest.fixture
def lineage(known_store: str) -> Lineage:
    return Lineage(known_store)


def test_runs_and_stats_are_those_of_the_commands(lineage: Lineage) -> None:
    assert [(run.name, run.attempts, run.cost_usd) for run in lineage.runs()] == [
        ("first", 9, 1.0),
        ("second", 1, None),
    ]
    stats = lineage.stats("first")
    assert (stats.seeds, stats.survivors, stats.calls, stats.cost_usd) == (3, 5, 4, 1.0)
    assert lineage.stats().attempts == 1
    with pytest.raises(RunMissingError):
        lineage.stats("third")


@pytest.mark.parametrize("row", [A2, str(A2), "1/2"])
def test_a_row_is_named_by_id_or_by_name(lineage: Lineage, row: int | str) -> None:
    assert [one["id"] for one in lineage.family(row, run="first")] == [A, A1, A2, A3]
    assert [one["id"] for one in lineage.ancestors(row, run="first")] == [A, A1, A2]
    assert lineage.family(row, run="first")[2]["name"] == "1/2"


def test_a_small_number_is_a_seed_of_the_newest_run(lineage: Lineage) -> None:
    assert lineage.family(1)[0]["id"] == OTHER
    with pytest.raises(StoreError, match="holds no instruction"):
        lineage.family(99)


def test_the_graph_of_a_run_can_be_written_in_every_format(lineage: Lineage, tmp_path: Path) -> None:
    graph = lineage.graph("first")
    assert len(graph) == 12
    networkx.write_graphml(graph, tmp_path / "g.graphml")
    networkx.write_gexf(graph, tmp_path / "g.gexf")
    networkx.write_gml(lineage.graph("first", texts=False), tmp_path / "g.gml")
    json.dumps(networkx.node_link_data(graph, edges="edges"))
    read = networkx.read_graphml(tmp_path / "g.graphml", node_type=int)
    assert set(read.edges) == set(graph.edges)
    assert read.nodes[B]["instruction"] == graph.nodes[B]["instruction"]


def test_sql_returns_rows_and_refuses_to_write(lineage: Lineage) -> None:
    rows = lineage.sql(
        "SELECT id, parent_id, epoch FROM instructions WHERE root_id = :seed ORDER BY id", {"seed": A}
    )
    assert rows.columns == ("id", "parent_id", "epoch")
    assert rows[0] == {"id": A, "parent_id": None, "epoch": 0}
    assert [row["id"] for row in rows[1:]] == [A1, A2, A3]
    with pytest.raises(QueryError):
        lineage.sql("DELETE FROM calls")


def test_a_frame_keeps_ids_exact_where_some_are_missing(lineage: Lineage) -> None:
    frame = lineage.sql("SELECT id, parent_id, mutator, cost_usd FROM instructions ORDER BY id").to_pandas()
    assert (str(frame["id"].dtype), str(frame["parent_id"].dtype)) == ("Int64", "Int64")
    assert list(frame["id"]) == sorted(row["id"] for row in ROWS)
    assert frame["parent_id"].isna().sum() == 4
    assert frame["parent_id"][1] == A


def test_an_answer_without_rows_is_a_frame_with_columns(lineage: Lineage) -> None:
    rows = lineage.sql("SELECT id, mutator FROM instructions WHERE id = 0")
    assert (len(rows), list(rows.to_pandas().columns)) == (0, ["id", "mutator"])


def test_rows_of_a_run_become_a_data_set(lineage: Lineage) -> None:
    kept, every = lineage.rows("first"), lineage.rows("first", dead=True)
    assert (len(kept), len(every)) == (8, 12)
    assert {row["status"] for row in kept} == {"seed", "survivor"}
    made = kept.to_dataset()
    assert made["id"][0] == A
    assert made["instruction"][0] == "Sort a list."


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError):
        Lineage(tmp_path / "none.db")
    assert os.listdir(tmp_path) == []


def test_reading_leaves_no_file_beside_the_store(make_store: MakeStore, known_store: str) -> None:
    with Lineage(known_store) as lineage:
        assert lineage.family(C)[0]["id"] == C
        assert len(lineage.runs()) == 2
    if known_store.startswith("sqlite"):
        folder = Path(known_store.removeprefix("sqlite:///")).parent
        assert [name for name in os.listdir(folder) if name.endswith(("-wal", "-shm"))] == []


def test_without_pandas_it_is_said_what_to_install(known_store: str) -> None:
    code = (
        "import sys; sys.modules['pandas'] = None\n"
        "from evolver import EvolverError, Lineage\n"
        "assert 'pandas' not in sys.modules or sys.modules['pandas'] is None\n"
        f"rows = Lineage({known_store!r}).sql('SELECT 1 AS one')\n"
        "try: rows.to_pandas()\n"
        "except EvolverError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install pandas" in done.stdout
