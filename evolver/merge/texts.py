"""Read the texts of ordered keys, a slice at a time, so that no more than a slice of them is ever held."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, select

from evolver.errors import StoreError
from evolver.merge.collect import split_key
from evolver.merge.formats import Row
from evolver_store.schema import instructions

SLICE = 2_000

_BATCH = 500  # ids in a statement: SQLite before 3.32 binds no more than 999

_BY_ID = select(
    instructions.c.id,
    instructions.c.root_id,
    instructions.c.epoch,
    instructions.c.mutator,
    instructions.c.instruction,
    instructions.c.response,
).where(instructions.c.id.in_(bindparam("ids", expanding=True)))


def slices_of_rows(
    connections: Sequence[Connection], run_names: Sequence[str], keys: array[int]
) -> Iterator[list[Row]]:
    """Yield the rows of ``keys`` in their order, up to ``SLICE`` at a time.

    Args:
        connections: One per source.
        run_names: One per source.
        keys: As :mod:`evolver.merge.collect` makes them.

    Raises:
        StoreError: A row is there no more.
    """
    for start in range(0, len(keys), SLICE):
        yield _rows(connections, run_names, keys[start : start + SLICE])


def _rows(connections: Sequence[Connection], run_names: Sequence[str], keys: array[int]) -> list[Row]:
    wanted: dict[int, list[int]] = defaultdict(list)
    for key in keys:
        source, id_ = split_key(key)
        wanted[source].append(id_)
    found: dict[tuple[int, int], Row] = {}
    for source, ids in wanted.items():
        ids.sort()  # so that each statement reads one stretch of the table
        for start in range(0, len(ids), _BATCH):
            batch = {"ids": ids[start : start + _BATCH]}
            for record in connections[source].execute(_BY_ID, batch).all():
                found[source, record[0]] = Row(*record, run_names[source], "evol")
    if len(found) < len(keys):
        raise StoreError(
            f"{len(keys) - len(found)} rows went from the store while they were being merged; nothing was written. "
            "Merge again when nothing deletes from it."
        )
    return [found[split_key(key)] for key in keys]
