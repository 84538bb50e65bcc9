"""A run of a store as a source: its seeds and survivors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, null, select

from evolver.facts.attempts import Tally, outcomes
from evolver.merge.formats import Row
from evolver.merge.job import Kind
from evolver.merge.reader import Epochs, Texts
from evolver_store.schema import first_and_last_id, instructions, runs

_SLICE = 10_000
_TEXTS = 1_000
_BATCH = 500  # ids in a statement: SQLite before 3.32 binds no more than 999

# All that str.isspace() calls white space; the databases' own trim knows the blank alone.
_SPACE = "".join(filter(str.isspace, map(chr, range(0x3001))))

_SEED = instructions.alias("seed")


def _query(*, reasoning: bool, details: bool) -> Select[Any]:
    """Select rows by their ids; reasoning is longer than all the rest together, so it is read where it is wanted."""
    column = instructions.c
    query: Select[Any] = select(
        *(column.id, column.root_id, column.epoch, column.mutator, column.instruction, column.response),
        column.reasoning if reasoning else null(),
    ).where(column.id.in_(bindparam("ids", expanding=True)))
    if not details:
        return query.add_columns(null())
    query = query.add_columns(_SEED.c.details)
    return query.join_from(instructions, _SEED, _SEED.c.id == column.root_id, isouter=True)


class RunReader:
    """The rows of one run that may train a model."""

    kind: Kind = "evol"

    def __init__(self, conn: Connection, run_id: int, name: str, *, reasoning: bool = False) -> None:
        self._reasoning = reasoning
        self.name = name
        self.run_id = run_id
        self.conn = conn

    def ids(self, epochs: Epochs) -> Iterator[tuple[int, bool]]:
        """Yield (id, whether there is a response), by id."""
        answered = func.coalesce(func.trim(instructions.c.response, _SPACE), "") != ""
        query = select(instructions.c.id, answered).where(*self._trainable)
        if epochs is not None:
            query = query.where(instructions.c.epoch.between(*epochs))
        query = query.order_by(instructions.c.id).execution_options(yield_per=_SLICE)
        for id_, has_response in self.conn.execute(query):
            yield id_, bool(has_response)

    def texts(self) -> Iterator[Texts]:
        """Yield every row, by id."""
        column = instructions.c
        query = select(column.id, column.parent_id, column.instruction, column.response).where(
            *self._trainable
        )
        query = query.order_by(column.id).execution_options(yield_per=_TEXTS)
        for id_, parent_id, instruction, response in self.conn.execute(query):
            yield Texts(id_, parent_id, instruction or "", response or "")

    def rows(self, ids: Sequence[int], *, columns: bool) -> Iterator[Row]:
        """Yield the rows of these ids."""
        query = _query(reasoning=self._reasoning, details=columns)
        ordered = sorted(ids)  # so that each statement reads one stretch of the table
        for start in range(0, len(ordered), _BATCH):
            for *row, reasoning, details in self.conn.execute(
                query, {"ids": ordered[start : start + _BATCH]}
            ).all():
                thought = reasoning if reasoning and reasoning.strip() else None
                yield Row._make([*row, self.name, "evol", _further(details), thought])

    def about(self) -> Mapping[str, Any]:
        """Return the run's row of ``runs``."""
        return dict(self.conn.execute(select(runs).where(runs.c.id == self.run_id)).mappings().one())

    def by_epoch(self) -> Mapping[int, Tally]:
        """Return what became of the run's attempts, epoch by epoch."""
        return outcomes(self.conn, self.run_id).by_epoch()

    @property
    def _trainable(self) -> tuple[ColumnElement[bool], ...]:
        """What makes a row a seed or survivor of the run.

        The run is given as a range of ids, not by ``run_id``: reading the table from front to back also brings the
        texts, which are wanted next in another order, into the system's cache at the speed of the disk.
        """
        column = instructions.c
        return column.id.between(*first_and_last_id(self.run_id)), column.status.in_(("seed", "survivor"))


def _further(details: Mapping[str, Any] | None) -> str | None:
    """Return what the pool held of a seed besides, as JSON."""
    columns = (details or {}).get("columns")
    return json.dumps(columns, ensure_ascii=False) if columns else None
