"""Rename a run, or delete it: what people do to a store by hand, never while a run works."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, delete, select, update

from evolver_store.batches import OPEN, Batch, list_batches
from evolver_store.errors import StoreError
from evolver_store.runs import Run, find_run
from evolver_store.schema import (
    MAX_EPOCH,
    batches,
    calls,
    first_and_last_id,
    instructions,
    responses,
    reviews,
    runs,
    scores,
)

NOBODY = 0
"""The ``run_id`` of calls whose run was deleted: ids of runs begin at 1."""


def rename_run(engine: Engine, run: Run, name: str) -> None:
    """Give a run another name; hold its claim while you do.

    Raises:
        StoreError: The name is empty or taken; nothing was changed.
    """
    if not name.strip():
        raise StoreError("a run needs a name; nothing was changed.")
    with engine.begin() as conn:
        if find_run(conn, name) is not None:
            raise StoreError(
                f"there is a run named {name!r} already; nothing was changed. Choose another name."
            )
        conn.execute(update(runs).where(runs.c.id == run.id).values(name=name))


def batches_in_flight(conn: Connection, run_id: int) -> list[Batch]:
    """Return the batches of a run whose answers have not been collected."""
    return [batch for batch in list_batches(conn) if batch.run_id == run_id and batch.status in OPEN]


def delete_run(engine: Engine, run: Run, *, calls_too: bool) -> None:
    """Delete a run with its rows; hold its claim while you do, and safe to repeat where it was ended in the middle.

    Newest rows go first, an epoch to a transaction, so that other runs over the store wait for no more than that. The
    calls that the run paid for stay in the cache, belonging to nobody, unless ``calls_too``.

    Raises:
        StoreError: Batches of the run are in flight; nothing was deleted.
    """
    with engine.begin() as conn:
        if flying := batches_in_flight(conn, run.id):
            raise StoreError(
                f"the run {run.name!r} has {len(flying)} of its batches in flight ({_named(flying)}), and what they "
                "answer is paid; nothing was deleted. Collect them by running it again, or cancel them with "
                "'evolve batches cancel'."
            )
        # Should this end in the middle, the run counts as one whose pool was not stored whole.
        conn.execute(update(runs).where(runs.c.id == run.id).values(status="stopped", seeds=None))
        for table in (scores, responses, reviews):
            conn.execute(delete(table).where(table.c.instruction_id.between(*first_and_last_id(run.id))))
    of_run = instructions.c.run_id == run.id
    for epoch in range(MAX_EPOCH, -1, -1):
        with engine.begin() as conn:
            if conn.execute(
                select(instructions.c.id).where(of_run, instructions.c.epoch == epoch).limit(1)
            ).first():
                # A parent is of an older epoch, or an earlier attempt of the same: children go first, or together.
                conn.execute(delete(instructions).where(of_run, instructions.c.epoch == epoch))
    with engine.begin() as conn:
        paid = calls.c.run_id == run.id
        conn.execute(
            delete(calls).where(paid) if calls_too else update(calls).where(paid).values(run_id=NOBODY)
        )
        conn.execute(delete(batches).where(batches.c.run_id == run.id))
        conn.execute(delete(runs).where(runs.c.id == run.id))


def _named(flying: list[Batch]) -> str:
    return ", ".join(batch.provider_id or batch.key for batch in flying)
