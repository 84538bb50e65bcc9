"""Questions about descent: the family of an instruction, its ancestors and descendants, and whole graphs.

Rows come back as plain dicts with the columns of ``instructions``, in the order of their ids, which is the order
of epochs and attempts within a family.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import CTE, Connection, Select, select

from evolver_store.errors import StoreError
from evolver_store.names import name_of
from evolver_store.schema import RUN_SHIFT, instructions

if TYPE_CHECKING:
    import networkx

    Graph: TypeAlias = networkx.DiGraph[int]

Row = dict[str, Any]
"""A row of ``instructions``, by column."""

_SLICE = 2_000  # rows fetched at a time
_LARGEST_ID = (1 << 63) - 1
_TEXTS = ("instruction", "response")
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def instruction_row(conn: Connection, id_: int) -> Row:
    """Return one row.

    Raises:
        StoreError: No row has that id.
    """
    row = None
    if 0 < id_ <= _LARGEST_ID:
        row = conn.execute(select(instructions).where(instructions.c.id == id_)).mappings().one_or_none()
    if row is None:
        named = f"It would be row {name_of(id_)} of its run; " if id_ >> RUN_SHIFT > 0 else ""
        raise StoreError(
            f"the store holds no instruction {id_}; nothing is shown. "
            f"{named}'evolve lineage --random' shows one that there is."
        )
    return dict(row)


def family(conn: Connection, id_: int) -> list[Row]:
    """Return every row of the family that ``id_`` belongs to: its seed and all attempts, the dead included.

    Raises:
        StoreError: No row has that id.
    """
    member = instruction_row(conn, id_)
    of_root = (instructions.c.run_id == member["run_id"]) & (instructions.c.root_id == member["root_id"])
    return _rows(conn, select(instructions).where(of_root))


def ancestors(conn: Connection, id_: int) -> list[Row]:
    """Return the rows that ``id_`` was evolved from, the seed first, and the row itself last.

    Raises:
        StoreError: No row has that id.
    """
    instruction_row(conn, id_)
    return _rows(conn, _of(_walk(id_, up=True)))


def descendants(conn: Connection, id_: int) -> list[Row]:
    """Return the row itself and every row evolved from it, directly or not, the dead included.

    Raises:
        StoreError: No row has that id.
    """
    instruction_row(conn, id_)
    return _rows(conn, _of(_walk(id_, up=False)))


def rows_of(conn: Connection, run_id: int, *, dead: bool) -> list[Row]:
    """Return the seeds and survivors of a run, or with ``dead`` every row of it, by id."""
    column = instructions.c
    query = select(instructions).where(column.run_id == run_id)
    return _rows(conn, query if dead else query.where(column.status.in_(("seed", "survivor"))))


def rows_by_id(conn: Connection, ids: Sequence[int]) -> list[Row]:
    """Return up to some hundred rows, by id; those that are not there are left out."""
    return _rows(conn, select(instructions).where(instructions.c.id.in_(ids)))


def run_graph(conn: Connection, run_id: int, *, texts: bool = True) -> Graph:
    """Return the whole lineage of a run as a graph that can be written to a file; see :func:`graph_of`, :func:`plain`.

    A run of 52,000 seeds and 4 epochs is 260,000 nodes.

    Args:
        conn: A connection to the store.
        run_id: The run.
        texts: Whether nodes carry ``instruction`` and ``response``; without them it takes two thirds of the memory.
    """
    columns = [column for column in instructions.c if texts or column.name not in _TEXTS]
    query = select(*columns).where(instructions.c.run_id == run_id).order_by(instructions.c.id)
    return graph_of(map(plain, _stream(conn, query)))


def plain(row: Mapping[str, Any]) -> Row:
    """Return a row as every format of graphs can hold it.

    What is NULL is left out, times are ISO 8601, ``details`` is JSON, and characters that XML cannot hold (control
    characters) are U+FFFD.
    """
    return {name: _plain(value) for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value


def graph_of(rows: Iterable[Mapping[str, Any]]) -> Graph:
    """Make a graph of rows: a node per row, an edge from each parent to its child.

    Nodes are ids and carry the other columns as attributes, and ``name`` (``17/2``); edges carry ``mutator`` and
    ``epoch``. A parent that is not among the rows gives no edge.

    Args:
        rows: Rows of ``instructions``, in any order.
    """
    from networkx import DiGraph  # takes longer to import than most questions take to answer

    graph: Graph = DiGraph()
    with _collection_paused():
        graph.add_nodes_from(_nodes(rows))
        for id_, attributes in graph.nodes.items():
            parent = attributes.get("parent_id")
            if parent in graph:
                mutator = attributes.get("mutator") or ""
                graph.add_edge(parent, id_, mutator=mutator, epoch=attributes["epoch"])
    return graph


def _nodes(rows: Iterable[Mapping[str, Any]]) -> Iterator[tuple[int, Row]]:
    for row in rows:
        attributes = dict(row)
        id_ = attributes.pop("id")
        yield id_, attributes | {"name": name_of(id_)}


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Keep Python from looking for garbage among millions of objects that all stay: a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _walk(id_: int, *, up: bool) -> CTE:
    """Walk from a row to its ancestors or descendants.

    The step carries ``parent_id`` along and asks nothing more of the row it joins: with statistics at hand, one more
    condition there makes SQLite read the table instead of its index, at some thousand times the cost.
    """
    here, step = instructions, instructions.alias("step")
    found = select(here.c.id, here.c.parent_id).where(here.c.id == id_).cte("found", recursive=True)
    meets = step.c.id == found.c.parent_id if up else step.c.parent_id == found.c.id
    # Not UNION ALL: a row that a stranger's store makes its own ancestor would be walked through for ever.
    return found.union(select(step.c.id, step.c.parent_id).join_from(found, step, meets))


def _of(found: CTE) -> Select[Any]:
    return select(instructions).join_from(found, instructions, instructions.c.id == found.c.id)


def _rows(conn: Connection, query: Select[Any]) -> list[Row]:
    return [dict(row) for row in conn.execute(query.order_by(instructions.c.id)).mappings()]


def _stream(conn: Connection, query: Select[Any]) -> Iterator[Row]:
    result = conn.execute(query.execution_options(yield_per=_SLICE))
    names = tuple(result.keys())
    for row in result:
        yield dict(zip(names, row, strict=True))
