"""Which rows go into a dataset, as ids alone: eight bytes a row, whatever the texts weigh.

A key is a row's id with the place of its source in front, so that ids of several stores do not meet.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, func, select

from evolver_store.schema import EPOCH_SHIFT, MAX_EPOCH, first_and_last_id, instructions

_ID_BITS = 53
MAX_SOURCES = 1 << 63 - _ID_BITS

# All that str.isspace() calls white space; the databases' own trim knows the blank alone.
_SPACE = "".join(filter(str.isspace, map(chr, range(0x3001))))
_SLICE = 10_000


@dataclass(slots=True)
class Collected:
    """Keys in ascending order, so by source and then by place in the pool, and the count of what was left out."""

    keys: array[int] = field(default_factory=lambda: array("q"))
    seeds_without_response: int = 0
    survivors_without_response: int = 0

    def collect(
        self, conn: Connection, source: int, run_id: int, epochs: tuple[int, int] | None = None
    ) -> None:
        """Add the rows of a run that may train a model: seeds and survivors that have a response."""
        for id_, answered in conn.execute(_trainable(run_id, epochs)):
            if answered:
                self.keys.append(source << _ID_BITS | id_)
            elif epoch_of(id_) == 0:
                self.seeds_without_response += 1
            else:
                self.survivors_without_response += 1


def split_key(key: int) -> tuple[int, int]:
    """Take a key apart: the place of its source, and the row's id."""
    return key >> _ID_BITS, key & (1 << _ID_BITS) - 1


def epoch_of(key: int) -> int:
    """Return the epoch of a row from its key or id; 0 for a seed."""
    return key >> EPOCH_SHIFT & MAX_EPOCH


def _trainable(run_id: int, epochs: tuple[int, int] | None) -> Select[int, bool]:
    """Select (id, whether there is a response), by id.

    The run is given as a range of ids, not by ``run_id``: reading the table from front to back also brings the
    texts, which are wanted next in another order, into the system's cache at the speed of the disk.
    """
    answered = func.coalesce(func.trim(instructions.c.response, _SPACE), "") != ""
    query = select(instructions.c.id, answered).where(
        instructions.c.id.between(*first_and_last_id(run_id)), instructions.c.status.in_(("seed", "survivor"))
    )
    if epochs is not None:
        query = query.where(instructions.c.epoch.between(*epochs))
    return query.order_by(instructions.c.id).execution_options(yield_per=_SLICE)
