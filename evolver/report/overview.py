"""All runs of a store, a line each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from evolver_store.runs import list_runs
from evolver_store.schema import calls, instructions


@dataclass(frozen=True, slots=True)
class RunOverview:
    """A run and how far it is.

    ``seeds`` is ``None`` while its pool is being read. ``cost_usd`` is what this run paid itself: ``None`` where it
    paid for no call, or for calls whose price is not known.
    """

    id: int
    name: str
    status: str
    pool: str
    model: str
    epochs: int
    seeds: int | None
    attempts: int
    survivors: int
    cost_usd: float | None
    created_at: datetime


def run_overviews(conn: Connection) -> list[RunOverview]:
    """Read every run of the store, oldest first."""
    column = instructions.c
    counts: dict[int, Counter[str]] = {}
    counted = select(column.run_id, column.status, func.count()).group_by(column.run_id, column.status)
    for run_id, status, count in conn.execute(counted):
        counts.setdefault(run_id, Counter())[status] = count
    paid = select(calls.c.run_id, func.sum(calls.c.cost_usd)).group_by(calls.c.run_id)
    costs = {row[0]: row[1] for row in conn.execute(paid)}
    overviews = []
    for run in list_runs(conn):
        of_run = counts.get(run.id, Counter())
        overviews.append(
            RunOverview(
                id=run.id,
                name=run.name,
                status=run.status,
                pool=run.pool,
                model=run.model,
                epochs=run.epochs,
                seeds=run.seeds,
                attempts=of_run.total() - of_run["seed"],
                survivors=of_run["survivor"],
                cost_usd=costs.get(run.id),
                created_at=run.created_at,
            )
        )
    return overviews
