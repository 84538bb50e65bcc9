"""Families, ancestors, descendants and graphs of a known store, on both databases."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from sqlalchemy import Connection, event, insert

from evolver_store.connect import open_for_writing, reading
from evolver_store.errors import StoreError
from evolver_store.graph_files import dot, graphml
from evolver_store.lineage import ancestors, descendants, family, graph_of, plain, run_graph
from evolver_store.schema import instructions, row_id
from tests.known_store import A1, A2, A3, B1, B2, B3, C1, C2, C3, HOSTILE, OTHER, OTHER1, ROWS, A, B, C


@pytest.fixture
def conn(known_store: str) -> Iterator[Connection]:
    with reading(known_store) as engine, engine.connect() as conn:
        yield conn


@pytest.mark.parametrize("member", [B, B1, B3])
def test_any_member_finds_the_whole_family_in_the_order_of_ids(conn: Connection, member: int) -> None:
    assert [row["id"] for row in family(conn, member)] == [B, B1, B2, B3]


def test_rows_of_a_family_hold_every_column_as_it_was_written(conn: Connection) -> None:
    row = family(conn, A)[2]
    written = next(row for row in ROWS if row["id"] == A2)

    assert {name: value for name, value in row.items() if name != "created_at"} == {
        name: value for name, value in written.items() if name != "created_at"
    }


def test_ancestors_skip_the_dead_and_begin_with_the_seed(conn: Connection) -> None:
    assert [row["id"] for row in ancestors(conn, A3)] == [A, A1, A3]
    assert [row["id"] for row in ancestors(conn, C3)] == [C, C1, C2, C3]
    assert [row["id"] for row in ancestors(conn, A)] == [A]


def test_descendants_hold_the_row_and_all_below_it_the_dead_too(conn: Connection) -> None:
    assert [row["id"] for row in descendants(conn, A1)] == [A1, A2, A3]
    assert [row["id"] for row in descendants(conn, C)] == [C, C1, C2, C3]
    assert [row["id"] for row in descendants(conn, C3)] == [C3]


@pytest.mark.parametrize("id_", [5, 0, -1, A + 1, 1 << 80])
@pytest.mark.parametrize("question", [family, ancestors, descendants])
def test_an_unknown_id_is_one_sentence(conn: Connection, question: object, id_: int) -> None:
    assert callable(question)
    with pytest.raises(StoreError, match=f"holds no instruction {id_}; nothing is shown"):
        question(conn, id_)


def test_the_graph_of_a_run_holds_its_rows_and_no_others(conn: Connection) -> None:
    graph = run_graph(conn, 1)

    assert set(graph) == {row["id"] for row in ROWS if row["run_id"] == 1}
    assert set(run_graph(conn, 2)) == {OTHER, OTHER1}
    assert set(graph.edges) == {
        (row["parent_id"], row["id"]) for row in ROWS if row["run_id"] == 1 and row["parent_id"]
    }


def test_nodes_carry_columns_and_edges_carry_mutator_and_epoch(conn: Connection) -> None:
    graph = run_graph(conn, 1)

    assert graph.nodes[A2]["rule"] == "no_information_gain"
    assert json.loads(graph.nodes[A2]["details"]) == {"judge": "equal", "judge_answer": "Equal"}
    assert graph.nodes[B]["instruction"] == HOSTILE.replace("\x1b", "\ufffd")
    assert (graph.nodes[A2]["name"], graph.nodes[B]["name"]) == ("1/2", "2")
    assert graph.nodes[A]["created_at"].startswith("2026-01-02T03:04:05")
    assert not {"id", "rule", "parent_id"} & set(graph.nodes[B])
    assert graph.edges[A1, A3] == {"mutator": "breadth", "epoch": 3}


def test_a_graph_without_texts_has_all_else(conn: Connection) -> None:
    lean, whole = run_graph(conn, 1, texts=False), run_graph(conn, 1)

    assert set(lean.edges) == set(whole.edges)
    assert set(whole.nodes[A]) - set(lean.nodes[A]) == {"instruction", "response"}


def test_a_graph_of_a_part_has_no_edge_to_what_is_not_in_it(conn: Connection) -> None:
    graph = graph_of(descendants(conn, A1))

    assert set(graph) == {A1, A2, A3}
    assert set(graph.edges) == {(A1, A2), (A1, A3)}


def test_a_graph_does_not_depend_on_the_order_of_rows(conn: Connection) -> None:
    rows = family(conn, A)

    assert set(graph_of(reversed(rows)).edges) == set(graph_of(rows).edges)


def test_graphml_is_read_back_with_its_texts_and_without_what_xml_cannot_hold(conn: Connection) -> None:
    root = ElementTree.fromstring("\n".join(graphml(graph_of(map(plain, family(conn, B))))).encode())
    names = {key.get("id"): key.get("attr.name") for key in root.iter() if key.tag.endswith("key")}
    nodes = {
        node.get("id"): {names[data.get("key")]: data.text for data in node}
        for node in root.iter()
        if node.tag.endswith("node")
    }

    assert set(nodes) == {str(id_) for id_ in (B, B1, B2, B3)}
    assert nodes[str(B)]["instruction"] == HOSTILE.replace("\x1b", "\ufffd")
    assert json.loads(nodes[str(B1)]["details"] or "") == {"judge": "undecided"}
    assert "response" not in nodes[str(B)]


def test_dot_quotes_whatever_a_text_holds(conn: Connection) -> None:
    text = "\n".join(dot(graph_of(map(plain, family(conn, B)))))

    label = r'"2 seed\nSing [bold]a[/bold] \"song\"' + "\ufffd" + r'[31m on \\ of 歌."'
    assert f"{B} [label={label}, fillcolor=lightblue];" in text
    assert f'{B} -> {B1} [label="deepen"];' in text


def test_walks_stay_on_the_index_once_sqlite_has_statistics(tmp_path: object) -> None:
    """Held by the plan: one condition more in the step makes SQLite scan the table, at a thousand times the cost."""
    store = f"{tmp_path}/evolve.db"
    engine = open_for_writing(store)
    template = dict(ROWS[1])
    with engine.begin() as conn:
        conn.exec_driver_sql(
            "INSERT INTO runs VALUES (1,'r','finished','{}','p','',1,4,0,'m','0','2026-01-01','2026-01-01','evolve')"
        )
        seeds = [
            {**template, "id": row_id(1, n), "root_id": row_id(1, n), "parent_id": None, "epoch": 0}
            for n in range(500)
        ]
        children = [
            {**template, "id": row_id(1, n, 1, 1), "root_id": row_id(1, n), "parent_id": row_id(1, n)}
            for n in range(500)
        ]
        conn.execute(insert(instructions), [*seeds, *children])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")
    engine.dispose()
    asked: list[tuple[str, tuple[object, ...]]] = []
    with reading(store) as reader, reader.connect() as conn:
        event.listen(
            conn, "before_cursor_execute", lambda c, cur, sql, params, *_: asked.append((sql, params))
        )
        ancestors(conn, row_id(1, 7, 1, 1))
        descendants(conn, row_id(1, 7))

    plain = sqlite3.connect(store)
    walks = [one for one in asked if "RECURSIVE" in one[0]]
    plans = [[row[3] for row in plain.execute(f"EXPLAIN QUERY PLAN {sql}", params)] for sql, params in walks]
    plain.close()
    assert any("step USING INTEGER PRIMARY KEY" in step for step in plans[0])
    assert any("step USING COVERING INDEX instructions_parent (parent_id=?)" in step for step in plans[1])
