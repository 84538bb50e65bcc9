"""Storing a pool: in slices, resumable, and never half a run that looks whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from evolver.errors import PoolError, StoppedError
from evolver.evolution import Evolution
from evolver.plan import Plan
from evolver.pool import PoolReport
from evolver.scheduler.prepare import find_or_begin
from evolver_store.connect import open_for_writing
from evolver_store.runs import find_run
from evolver_store.schema import instructions, runs


@pytest.fixture
def engine(store_url: str) -> Engine:
    return open_for_writing(store_url)


def plan_of(pool: Path) -> Plan:
    return Evolution(pool, model="offline").plan()


def write_pool(path: Path, rows: int) -> Path:
    path.write_text(json.dumps([{"instruction": f"Sort {n} cards.", "output": "So."} for n in range(rows)]))
    return path


def told(_count: int, _report: PoolReport) -> None:
    """Hear of the seeds that are stored, and go on."""


def seeds_in(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.execute(select(func.count()).select_from(instructions)).scalar_one()


class StopsAfter:
    """Stops the storing after so many slices, as Ctrl-C does."""

    def __init__(self, slices: int) -> None:
        self.left = slices

    def __call__(self, count: int, report: PoolReport) -> None:
        self.left -= 1
        if not self.left:
            raise StoppedError("stopped")


def test_a_pool_that_was_stopped_in_the_middle_goes_on_behind_what_is_stored(
    engine: Engine, tmp_path: Path
) -> None:
    plan = plan_of(write_pool(tmp_path / "pool.json", 2_500))
    with pytest.raises(StoppedError):
        find_or_begin(engine, plan, StopsAfter(2))
    assert seeds_in(engine) == 2_000
    with engine.connect() as conn:
        half = find_run(conn, plan.name)
        made = conn.execute(
            select(instructions.c.created_at).order_by(instructions.c.id).limit(1)
        ).scalar_one()
    assert half is not None
    assert half.seeds is None
    run, report = find_or_begin(engine, plan, told)
    with engine.connect() as conn:
        again = conn.execute(
            select(instructions.c.created_at).order_by(instructions.c.id).limit(1)
        ).scalar_one()
        ids = conn.execute(select(instructions.c.id).order_by(instructions.c.id)).scalars().all()
    assert (run.seeds, run.id, again) == (2_500, half.id, made)
    assert len(set(ids)) == 2_500
    assert report is not None
    assert report.seeds == 2_500
    assert find_or_begin(engine, plan, told)[1] is None
    engine.dispose()


def test_another_run_writes_between_the_slices_of_a_pool(engine: Engine, tmp_path: Path) -> None:
    plan = plan_of(write_pool(tmp_path / "pool.json", 3_000))
    other = plan_of(write_pool(tmp_path / "other.json", 10))
    begun: list[int] = []

    def begin_another(count: int, report: PoolReport) -> None:
        if not begun:
            begun.append(find_or_begin(engine, other, told)[0].seeds or 0)

    run, _ = find_or_begin(engine, plan, begin_another)
    assert (run.seeds, begun) == (3_000, [10])
    engine.dispose()


def test_a_pool_that_is_broken_at_its_end_leaves_nothing_of_its_slices(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_pool(tmp_path / "pool.json", 3_000)
    path.write_bytes(path.read_bytes()[:-20])
    stored: list[int] = []
    with pytest.raises(PoolError):
        find_or_begin(engine, plan_of(path), lambda count, _: stored.append(count))
    assert stored == [1_000, 2_000]
    with engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(runs)).scalar_one() == 0
    assert seeds_in(engine) == 0
    engine.dispose()
