"""How a person names a row: ``17/2`` is what became of the 17th seed in epoch 2, ``17`` is that seed.

Seeds are counted from 1, by their place in the pool; a second try in an epoch is ``17/2.2``. Names hold within a run;
ids hold in the whole store.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, Text, cast, func, select

from evolver_store.errors import StoreError
from evolver_store.runs import get_run
from evolver_store.schema import (
    MAX_ATTEMPT,
    MAX_EPOCH,
    MAX_ORDINAL,
    RUN_SHIFT,
    first_and_last_id,
    instructions,
    place,
    row_id,
)

_NAME = re.compile(r"(?P<seed>[0-9]{1,9})(?:/(?P<epoch>[0-9]{1,2})(?:\.(?P<attempt>[0-9]{1,2}))?)?")
_ID = re.compile(r"[0-9]{1,19}")


def name_of(id_: int) -> str:
    """Return the name of a row within its run: ``17`` of a seed, ``17/2`` of an attempt, ``17/2.2`` of a second one."""
    at = place(id_)
    seed = str(at.ordinal + 1)
    if not at.epoch:
        return seed
    return f"{seed}/{at.epoch}" if at.attempt == 1 else f"{seed}/{at.epoch}.{at.attempt}"


def is_name(text: str) -> bool:
    """Tell whether a text has the form of an id or of a name."""
    if _ID.fullmatch(text):
        return True
    found = _NAME.fullmatch(text)
    return found is not None and int(found["epoch"]) >= 1 and int(found["attempt"] or 1) >= 1


def id_of(conn: Connection, text: str, run: str | None, database: str) -> int:
    """Return the id that a name or an id means; whether a row has it is not looked at.

    Args:
        conn: A connection to the store.
        text: ``17``, ``17/2``, ``17/2.2``, or an id, which is told by its size: ids begin at 2**40.
        run: The run that a name is meant in; ``None`` is the newest. An id needs none.
        database: What messages call the store.

    Raises:
        StoreError: It is neither, or there is no such run.
    """
    if not is_name(text):
        raise StoreError(
            f"{text!r} names no row; nothing is shown. Write SEED or SEED/EPOCH, as in 17/2 (what became of the 17th "
            "seed in epoch 2), or an id."
        )
    if "/" not in text and int(text) >> RUN_SHIFT:
        return int(text)
    found = _NAME.fullmatch(text)
    seed = int(found["seed"] if found else text)
    epoch = int((found["epoch"] if found else None) or 0)
    attempt = int((found["attempt"] if found else None) or (1 if epoch else 0))
    run_id = get_run(conn, run, database).id
    if not 1 <= seed <= MAX_ORDINAL + 1 or epoch > MAX_EPOCH or attempt > MAX_ATTEMPT:
        raise StoreError(f"no run can hold a row {text}; nothing is shown.")
    return row_id(run_id, seed - 1, epoch, attempt)


def random_seed(conn: Connection, run_id: int) -> int | None:
    """Return the id of any seed of a run; ``None`` where it has none."""
    column = instructions.c
    query = select(column.id).where(column.run_id == run_id, column.status == "seed")
    return conn.execute(query.order_by(func.random()).limit(1)).scalar()


def ids_with_text(conn: Connection, run_id: int, part: str, limit: int) -> list[int]:
    """Return the first ids of a run whose instruction holds a text, whatever the case of its ASCII letters."""
    column = instructions.c
    first, last = first_and_last_id(run_id)
    query = select(column.id).where(
        column.run_id == run_id,
        column.id.between(first, last),
        cast(column.instruction, Text).icontains(part, autoescape=True),
    )
    return list(conn.execute(query.order_by(column.id).limit(limit)).scalars())
