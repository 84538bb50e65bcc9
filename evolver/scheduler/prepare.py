"""Before the first question: find the run or begin it with its pool, and see where every lineage stands."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine

from evolver.errors import PoolError
from evolver.plan import Plan
from evolver.pool import Pool, PoolReport, Seed
from evolver.quoting import public_url
from evolver.scheduler.frontier import Frontier, Job, content_digest
from evolver.shape import check_same
from evolver.version import VERSION
from evolver_store.link import Link, once
from evolver_store.runs import (
    Ids,
    Run,
    find_run,
    ids_of,
    insert_run,
    last_seed,
    parents_of,
    remove_unfinished_run,
    set_seeds,
    texts_of,
    update_run,
)
from evolver_store.saying import stated
from evolver_store.schema import instructions, place, row_id
from evolver_store.writer import insert_rows

_SEEDS_AT_ONCE = 1_000


def find_or_begin(
    engine: Engine, plan: Plan, on_seeds: Callable[[int, PoolReport], None]
) -> tuple[Run, PoolReport | None]:
    """Return the run of that name, begun with its whole pool if it was not there.

    The pool is stored in slices, each in a transaction of its own, so that other runs need not wait for it; the run's
    ``seeds`` stay NULL until all of it is in. Stopped or killed in the middle, the same call goes on behind the last
    slice. A pool that turns out broken, be it in its last line, leaves nothing behind.

    Returns:
        The run, and what was skipped in the pool if it was read now.

    Raises:
        PoolError: The pool cannot be read, or holds nothing to evolve.
        SettingsError: A run of that name was begun with other settings.
        StoreError: The store cannot be read or written; what is stored stays, and the same call goes on.
    """
    name = plan.name
    with stated("the run cannot be begun in the store", "no model was asked."):
        run = once(engine, lambda conn: find_run(conn, name), only_reads=True)
        if run is not None:
            check_same(name, run.settings.get("shape", {}), plan.shape)
            run = _gone_on_with(engine, run, plan.settings.epochs)
            if run.seeds is not None:
                return run, None
        else:
            run = once(engine, lambda conn: _begun(conn, plan))
        report = PoolReport()
        seeds = _store_pool(engine, run, plan.pool, report, on_seeds)
    return replace(run, seeds=seeds), report


def _gone_on_with(engine: Engine, run: Run, epochs: int) -> Run:
    """Say that a run is worked on again; one that is finished and gets no further epochs stays finished."""
    if run.status == "finished" and epochs <= run.epochs:
        return run
    again = replace(run, status="running", epochs=max(run.epochs, epochs), finished_at=None)
    update_run(engine, run.id, status=again.status, epochs=again.epochs, finished_at=None)
    return again


def _begun(conn: Connection, plan: Plan) -> Run:
    """Store a run without seeds; safe to repeat."""
    settings = plan.settings
    if find_run(conn, plan.name) is None:
        fields: dict[str, Any] = {
            "name": plan.name,
            "settings": {**settings.kept(public_url), "shape": plan.shape},
            "pool": settings.pool,
            "pool_sha256": plan.shape["pool_sha256"],
            "epochs": settings.epochs,
            "seed": settings.seed,
            "model": plan.identities["evolve"].name,
            "evolver_version": VERSION,
        }
        insert_run(conn, fields)
    run = find_run(conn, plan.name)
    assert run is not None
    return run


def _store_pool(
    engine: Engine, run: Run, pool: Pool, report: PoolReport, on_seeds: Callable[[int, PoolReport], None]
) -> int:
    """Store what of the pool is not stored yet, in slices; return how many seeds there are."""
    seeds, count = pool.seeds(report), 0
    link = Link(engine)
    try:
        behind = link.transact(lambda conn: last_seed(conn, run.id))
        while some := list(islice(seeds, _SEEDS_AT_ONCE)):
            rows = [_seed_row(run.id, seed) for seed in some if row_id(run.id, seed.ordinal) > behind]
            if rows:
                link.transact(partial(insert_rows, table=instructions, rows=rows))
            count += len(some)
            on_seeds(count, report)
        settings = {**run.settings, "pool_read": report.as_json()}
        link.transact(partial(set_seeds, run_id=run.id, seeds=count, settings=settings))
    except PoolError:
        link.close()
        remove_unfinished_run(engine, run.id)
        raise
    finally:
        link.close()
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


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the lineages of a run stand.

    ``done`` counts the attempts that are finished, by epoch. ``failed`` are those to be made again that lie in the
    middle of their lineage; those at its end the frontier hands out by itself.
    """

    frontier: Frontier
    done: list[int]
    failed: list[Job]


def load_standing(
    conn: Connection, run: Run, *, epochs: int, attempts: int, retry_failed: bool = False
) -> Standing:
    """Read where every lineage of a run stands; with ``retry_failed``, as if no attempt had failed yet."""
    seeds = array("q")
    attempted: list[Ids] = []
    failed: list[Ids] = []
    for found in ids_of(conn, run.id):
        if found.status == "seed":
            seeds.extend(found.ids)
        elif found.status == "failed" and retry_failed:
            failed.append(found)
        else:
            attempted.append(found)
    places = 1 + max((place(id_).ordinal for id_ in seeds), default=-1)
    frontier = Frontier(run.id, places, epochs=epochs, attempts=attempts)
    done = [0] * (max(epochs, run.epochs) + 1)
    for found in attempted:
        done[found.epoch] += len(found.ids)
        frontier.restore(found.ids, survived=found.status == "survivor")
    frontier.open(_digests(conn, (id_ for id_ in seeds if frontier.work_left(id_))))
    inner = [id_ for found in failed if found.epoch <= epochs for id_ in found.ids if frontier.is_past(id_)]
    return Standing(frontier, done[: epochs + 1], _jobs(conn, inner))


def _jobs(conn: Connection, ids: list[int]) -> list[Job]:
    """Return the attempts behind rows that failed, to be made again from the parents they had."""
    jobs = []
    rows = iter(ids)
    while some := list(islice(rows, _SEEDS_AT_ONCE)):
        parents = parents_of(conn, some)
        digests = dict(_digests(conn, iter({root for root, _ in parents.values()})))
        for id_, (root_id, parent_id) in parents.items():
            where = place(id_)
            jobs.append(Job(root_id, parent_id, where.epoch, where.attempt, digests[root_id]))
    return jobs


def _digests(conn: Connection, seeds: Iterator[int]) -> Iterator[tuple[int, int]]:
    while some := list(islice(seeds, _SEEDS_AT_ONCE)):
        for id_, text in texts_of(conn, some).items():
            yield id_, content_digest(text)
