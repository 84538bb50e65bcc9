"""Runs: begin one or find it again, say how it ended, and read where each of its lineages stands."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, Row, Text, cast, delete, func, insert, select, update

from evolver_store.errors import RunMissingError, StoreError
from evolver_store.link import PATIENCE, once
from evolver_store.saying import stated
from evolver_store.schema import MAX_RUN, calls, first_and_last_id, instructions, runs

MOST_BOUND = 500
_T = TypeVar("_T")
_SLICE = 10_000  # rows fetched at a time: memory stays flat however many there are


@dataclass(frozen=True, slots=True)
class Run:
    """A row of ``runs``.

    ``seeds`` is ``None`` until the whole pool is stored; ``kind`` is ``evolve`` or ``oss``, and only a run of the
    second kind may have no pool.
    """

    id: int
    name: str
    status: str
    settings: Mapping[str, Any]
    pool: str | None
    pool_sha256: str | None
    seeds: int | None
    epochs: int
    seed: int
    model: str
    evolver_version: str
    created_at: datetime
    finished_at: datetime | None
    kind: str


class Ids(NamedTuple):
    """The ids of all rows of one status and epoch."""

    status: str
    epoch: int
    ids: array[int]


def find_run(conn: Connection, name: str) -> Run | None:
    """Return the run of that name, if there is one."""
    row = conn.execute(select(runs).where(runs.c.name == name)).one_or_none()
    return None if row is None else _run(row)


def get_run(conn: Connection, name: str | None, database: str) -> Run:
    """Return the run of that name, or the newest one where ``name`` is ``None``.

    Raises:
        RunMissingError: There is none; the message names those there are.
    """
    if name is None:
        row = conn.execute(select(runs).order_by(runs.c.id.desc()).limit(1)).one_or_none()
        if row is None:
            raise RunMissingError(
                f"{database} holds no run yet. Make one with 'evolve --pool … --store {database}'."
            )
        return _run(row)
    found = find_run(conn, name)
    if found is None:
        names = conn.execute(select(runs.c.name).order_by(runs.c.id.desc()).limit(5)).scalars().all()
        there = f"it holds {', '.join(names)}" if names else "it holds no run yet"
        raise RunMissingError(
            f"no run is named {name!r} in {database}: {there}. 'evolve runs' lists them all."
        )
    return found


def list_runs(conn: Connection) -> list[Run]:
    """Return all runs, oldest first."""
    return [_run(row) for row in conn.execute(select(runs).order_by(runs.c.id))]


def insert_run(conn: Connection, fields: Mapping[str, Any]) -> int:
    """Store a new run and return its id; never commits.

    Args:
        conn: Inside a transaction.
        fields: Columns of ``runs`` but for id, status and the times.

    Raises:
        StoreError: The store is full (8191 runs).
    """
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("LOCK TABLE runs IN EXCLUSIVE MODE")
    id_ = (conn.execute(select(func.max(runs.c.id))).scalar() or 0) + 1
    if id_ > MAX_RUN:
        raise StoreError(
            f"the store holds {MAX_RUN} runs, the most there can be; name a new one with --store."
        )
    row = {"seeds": None, **fields, "id": id_, "status": "running", "finished_at": None}
    conn.execute(insert(runs), [{**row, "created_at": datetime.now(UTC)}])
    return id_


def begin_job(
    engine: Engine,
    name: str,
    *,
    model: str,
    version: str,
    kind: str = "oss",
    settings: Mapping[str, Any] | None = None,
) -> Run:
    """Return the run of that name, begun if it was not there: for work that evolves no pool. Safe to repeat.

    Args:
        engine: A store opened for writing.
        name: Of the run, by which the same work is gone on with.
        model: Whom it asks, as the store shows it.
        version: Of the program.
        kind: What is done, one of those that the store knows.
        settings: What is to be kept of how it is done.
    """
    fields = {"name": name, "kind": kind, "settings": dict(settings or {}), "model": model}
    nothing = {"pool": None, "pool_sha256": None, "epochs": 0, "seed": 0, "evolver_version": version}

    def begin(conn: Connection) -> Run:
        if find_run(conn, name) is None:
            insert_run(conn, {**fields, **nothing, "seeds": 0})
        run = find_run(conn, name)
        assert run is not None
        return run

    return once(engine, begin)


def set_seeds(conn: Connection, run_id: int, seeds: int, settings: Mapping[str, Any]) -> None:
    """Say how many seeds a run has, now that its pool is stored, and with its settings how it was read."""
    conn.execute(update(runs).where(runs.c.id == run_id).values(seeds=seeds, settings=dict(settings)))


def last_seed(conn: Connection, run_id: int) -> int:
    """Return how far the storing of a run's pool is: the id of its last seed, 0 where it has none."""
    within = instructions.c.id.between(*first_and_last_id(run_id))
    return conn.execute(select(func.max(instructions.c.id)).where(within)).scalar() or 0


def remove_unfinished_run(engine: Engine, run_id: int) -> None:
    """Remove a run whose pool turned out broken while it was being stored, in slices.

    Raises:
        StoreError: Something cannot be removed. What is left has no number of seeds, so nothing takes it for whole.
    """
    first, last = first_and_last_id(run_id)
    unfinished = select(runs.c.id).where(runs.c.id == run_id, runs.c.seeds.is_(None)).exists()

    def remove_some(conn: Connection) -> int:
        some = select(instructions.c.id).where(instructions.c.id.between(first, last)).limit(_SLICE)
        return conn.execute(delete(instructions).where(instructions.c.id.in_(some), unfinished)).rowcount

    with stated("what was stored of a broken pool cannot be removed", "no model was asked."):
        while once(engine, remove_some):
            pass
        none = delete(runs).where(runs.c.id == run_id, runs.c.seeds.is_(None))
        once(engine, lambda conn: conn.execute(none))


def update_run(engine: Engine, run_id: int, *, patience: float = PATIENCE, **fields: Any) -> None:
    """Change columns of a run, such as ``status``, ``seeds`` or ``epochs``; waits where a server restarts.

    ``patience`` is for how many seconds.

    Raises:
        StoreError: It cannot be written.
    """
    change = update(runs).where(runs.c.id == run_id).values(**fields)
    with stated("the state of the run cannot be written to the store"):
        once(engine, lambda conn: conn.execute(change), patience=patience)


def unanswered_seeds(conn: Connection, run_id: int, *, every: bool) -> Iterator[int]:
    """Yield the ids of seeds that a model has not answered yet: those without a response, or ``every`` one."""
    query = select(instructions.c.id).where(
        instructions.c.run_id == run_id, instructions.c.status == "seed", instructions.c.model.is_(None)
    )
    if not every:
        query = query.where(instructions.c.response.is_(None))
    for (id_,) in conn.execute(query.execution_options(yield_per=_SLICE)):
        yield id_


def seed_of(conn: Connection, id_: int) -> tuple[str, str | None, dict[str, Any] | None]:
    """Return the instruction, response and details of a seed."""
    query = select(instructions.c.instruction, instructions.c.response, instructions.c.details)
    instruction, response, details = conn.execute(query.where(instructions.c.id == id_)).one()
    return instruction, response, details


def ids_of(conn: Connection, run_id: int) -> Iterator[Ids]:
    """Yield the ids of all seeds and attempts of a run by status and epoch, from the index alone.

    The database puts them together, since a row for each would take far longer (decision 0062).
    """
    by = instructions.c.status, instructions.c.epoch
    joined = func.aggregate_strings(cast(instructions.c.id, Text), ",")
    query = select(*by, joined).where(instructions.c.run_id == run_id).group_by(*by)
    for status, epoch, ids in conn.execute(query.execution_options(yield_per=1)):
        yield Ids(status, epoch, array("q", json.loads(f"[{ids}]")))


def texts_of(conn: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return the instructions of any number of rows, by id."""
    found: dict[int, str] = {}
    for some in slices(ids):
        query = select(instructions.c.id, instructions.c.instruction).where(instructions.c.id.in_(some))
        found |= {row[0]: row[1] for row in conn.execute(query)}
    return found


def slices(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Cut what is looked up into pieces that every database takes: SQLite before 3.32 binds no more than 999 values."""
    return (values[start : start + MOST_BOUND] for start in range(0, len(values), MOST_BOUND))


def parents_of(conn: Connection, ids: list[int]) -> dict[int, tuple[int, int]]:
    """Return root and parent of attempts, by id."""
    found: dict[int, tuple[int, int]] = {}
    query = select(instructions.c.id, instructions.c.root_id, instructions.c.parent_id)
    for some in slices(ids):
        rows = conn.execute(query.where(instructions.c.id.in_(some)))
        found.update((id_, (root, parent)) for id_, root, parent in rows)
    return found


def call_keys(conn: Connection) -> Iterator[bytes]:
    """Yield the first 8 bytes of the key of every call in the store, whichever run paid for it, one after the other.

    The database puts them together, since a row for each would take far longer (decision 0062).
    """
    for first, after in pairwise("0123456789abcdefg"):
        some = select(calls.c.key).where(calls.c.key >= first, calls.c.key < after).subquery()
        joined = conn.execute(select(func.aggregate_strings(func.substr(some.c.key, 1, 16), ""))).scalar()
        yield bytes.fromhex(joined or "")


def calls_of(conn: Connection, keys: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return those calls that were completed, by key; at most 500 ``keys``, for databases bound no more values."""
    rows = conn.execute(select(calls).where(calls.c.key.in_(keys))).mappings()
    return {row["key"]: dict(row) for row in rows}


def _run(row: Row[Any]) -> Run:
    return Run(**row._mapping)
