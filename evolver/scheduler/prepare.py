"""Before the first question: find the run or begin it with its pool, and see where every lineage stands."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine

from evolver.models.keys import public_url
from evolver.plan import Plan
from evolver.pool import Pool, PoolReport, Seed
from evolver.scheduler.frontier import Frontier, content_digest
from evolver.settings import Settings
from evolver.shape import check_same
from evolver.version import VERSION
from evolver_store.runs import (
    Ids,
    Run,
    find_run,
    ids_of,
    insert_run,
    set_seeds,
    texts_of,
    update_run,
)
from evolver_store.schema import instructions, place, row_id
from evolver_store.writer import insert_rows

_SEEDS_AT_ONCE = 1_000


def find_or_begin(
    engine: Engine, plan: Plan, on_seeds: Callable[[int, PoolReport], None]
) -> tuple[Run, PoolReport | None]:
    """Return the run of a plan, begun with its whole pool in one transaction if it was not there.

    A pool that turns out broken in its last line leaves nothing behind. ``on_seeds`` is told the seeds stored so far,
    and what was skipped.

    Returns:
        The run, and what was skipped in the pool if it was read now.

    Raises:
        PoolError: The pool cannot be read, or holds nothing to evolve.
        SettingsError: A run of that name was begun with other settings.
    """
    settings, name = plan.settings, plan.name
    with engine.connect() as conn:
        run = find_run(conn, name)
    if run is not None:
        check_same(name, run.settings.get("shape", {}), plan.shape)
        return _gone_on_with(engine, run, settings.epochs), None
    report = PoolReport()
    fields: dict[str, Any] = {
        "name": name,
        "settings": {**_stored(settings), "shape": plan.shape},
        "pool": settings.pool,
        "pool_sha256": plan.shape["pool_sha256"],
        "epochs": settings.epochs,
        "seed": settings.seed,
        "model": plan.identities["evolve"].name,
        "evolver_version": VERSION,
    }
    with engine.begin() as conn:
        run_id = insert_run(conn, fields)
        seeds = _store_seeds(conn, run_id, plan.pool, report, on_seeds)
        set_seeds(conn, run_id, seeds)
        run = find_run(conn, name)
    assert run is not None
    return run, report


def _gone_on_with(engine: Engine, run: Run, epochs: int) -> Run:
    """Say that a run is worked on again; one that is finished and gets no further epochs stays finished."""
    if run.status == "finished" and epochs <= run.epochs:
        return run
    again = replace(run, status="running", epochs=max(run.epochs, epochs), finished_at=None)
    update_run(engine, run.id, status=again.status, epochs=again.epochs, finished_at=None)
    return again


def _stored(settings: Settings) -> dict[str, Any]:
    """Return the settings as the store keeps them: without what may hold a password or a token."""
    return settings.kept(public_url)


def _store_seeds(
    conn: Connection,
    run_id: int,
    pool: Pool,
    report: PoolReport,
    on_seeds: Callable[[int, PoolReport], None],
) -> int:
    count = 0
    seeds = pool.seeds(report)
    while rows := [_seed_row(run_id, seed) for seed in islice(seeds, _SEEDS_AT_ONCE)]:
        insert_rows(conn, instructions, rows)
        count += len(rows)
        on_seeds(count, report)
    return count


def _seed_row(run_id: int, seed: Seed) -> dict[str, Any]:
    id_ = row_id(run_id, seed.ordinal)
    return {
        "id": id_,
        "run_id": run_id,
        "root_id": id_,
        "parent_id": None,
        "epoch": 0,
        "attempt": 0,
        "family": "seed",
        "mutator": None,
        "status": "seed",
        "rule": None,
        "reason": None,
        "instruction": seed.instruction,
        "response": seed.response,
        "model": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": None,
        "details": seed.details,
        "created_at": datetime.now(UTC),
    }


def load_frontier(conn: Connection, run: Run, *, epochs: int, attempts: int) -> tuple[Frontier, list[int]]:
    """Read where every lineage of a run stands.

    Returns:
        The frontier, opened, and the attempts that are finished, by epoch.
    """
    seeds = array("q")
    attempted: list[Ids] = []
    for found in ids_of(conn, run.id):
        if found.status == "seed":
            seeds.extend(found.ids)
        else:
            attempted.append(found)
    places = 1 + max((place(id_).ordinal for id_ in seeds), default=-1)
    frontier = Frontier(run.id, places, epochs=epochs, attempts=attempts)
    done = [0] * (max(epochs, run.epochs) + 1)
    for found in attempted:
        done[found.epoch] += len(found.ids)
        frontier.restore(found.ids, survived=found.status == "survivor")
    frontier.open(_digests(conn, (id_ for id_ in seeds if frontier.work_left(id_))))
    return frontier, done[: epochs + 1]


def _digests(conn: Connection, seeds: Iterator[int]) -> Iterator[tuple[int, int]]:
    while some := list(islice(seeds, _SEEDS_AT_ONCE)):
        for id_, text in texts_of(conn, some).items():
            yield id_, content_digest(text)
