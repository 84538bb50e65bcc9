"""Which rows go into a dataset, as ids alone: eight bytes a row, whatever the texts weigh.

A key is a row's id with the place of its source in front, so that ids of several sources do not meet.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from evolver.merge.reader import Epochs, Reader
from evolver_store.schema import EPOCH_SHIFT, MAX_EPOCH, ORDINAL_SHIFT

_ID_BITS = 53
MAX_SOURCES = 1 << 63 - _ID_BITS


@dataclass(slots=True)
class Collected:
    """Keys in ascending order, so by source and then by place in the pool, and the count of what was left out."""

    keys: array[int] = field(default_factory=lambda: array("q"))
    seeds_without_response: int = 0
    survivors_without_response: int = 0


def collect(readers: Sequence[Reader], epochs: Epochs) -> Collected:
    """Collect the rows that may train a model: those with a response, and of runs only those of ``epochs``."""
    collected = Collected()
    for source, reader in enumerate(readers):
        for id_, answered in reader.ids(epochs):
            if answered:
                collected.keys.append(key_of(source, id_))
            elif epoch_of(id_) == 0:
                collected.seeds_without_response += 1
            else:
                collected.survivors_without_response += 1
    return collected


def key_of(source: int, id_: int) -> int:
    """Put the place of a source in front of an id."""
    return source << _ID_BITS | id_


def split_key(key: int) -> tuple[int, int]:
    """Take a key apart: the place of its source, and the row's id."""
    return key >> _ID_BITS, key & (1 << _ID_BITS) - 1


def epoch_of(key: int) -> int:
    """Return the epoch of a row from its key or id; 0 for a seed and for OSS-Instruct."""
    return key >> EPOCH_SHIFT & MAX_EPOCH


def lineage_of(key: int) -> int:
    """Return what the key of a row has in common with those of its whole lineage: its source, run and seed."""
    return key >> ORDINAL_SHIFT
