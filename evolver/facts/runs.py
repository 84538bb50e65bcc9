"""All runs of a store, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from evolver.facts.settings import described
from evolver.facts.spending import Spent, paid_calls
from evolver_store.runs import Run, list_runs
from evolver_store.schema import instructions


@dataclass(frozen=True, slots=True)
class RunOverview:
    """A run and how far it is.

    ``seeds`` is ``None`` while its pool is being read. ``calls`` and ``cost_usd`` are what this run paid for itself;
    the latter is ``None`` where it paid for no call, or for calls whose price is not known. ``status`` is
    ``interrupted`` where the run is said to be running and nobody works on it. ``settings`` are what shapes the run.
    """

    id: int
    name: str
    status: str
    pool: str | None
    model: str
    epochs: int
    seeds: int | None
    attempts: int
    survivors: int
    failed: int
    calls: int
    cost_usd: float | None
    created_at: datetime
    finished_at: datetime | None
    settings: dict[str, Any]


def run_status(run: Run, is_claimed: Callable[[str], bool]) -> str:
    """Return the status of a run as it is: one that says ``running`` while nobody works on it was interrupted.

    Args:
        run: As the store has it.
        is_claimed: Whether a process works on the run of that name now.
    """
    return "interrupted" if run.status == "running" and not is_claimed(run.name) else run.status


def run_overviews(conn: Connection, is_claimed: Callable[[str], bool]) -> list[RunOverview]:
    """Read every run of the store, oldest first; ``is_claimed`` as in :func:`run_status`."""
    column = instructions.c
    counts: dict[int, Counter[str]] = {}
    counted = select(column.run_id, column.status, func.count()).group_by(column.run_id, column.status)
    for run_id, status, count in conn.execute(counted):
        counts.setdefault(run_id, Counter())[status] = count
    paid: dict[int, Spent] = {}
    for one in paid_calls(conn):
        paid[one.run_id] = paid.get(one.run_id, Spent()) + one.spent
    overviews = []
    for run in list_runs(conn):
        of_run, spent = counts.get(run.id, Counter()), paid.get(run.id, Spent())
        overviews.append(
            RunOverview(
                id=run.id,
                name=run.name,
                status=run_status(run, is_claimed),
                pool=run.pool,
                model=run.model,
                epochs=run.epochs,
                seeds=run.seeds,
                attempts=of_run.total() - of_run["seed"],
                survivors=of_run["survivor"],
                failed=of_run["failed"],
                calls=spent.calls,
                cost_usd=spent.cost_usd,
                created_at=run.created_at,
                finished_at=run.finished_at,
                settings=described(run),
            )
        )
    return overviews
