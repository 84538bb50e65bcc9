"""What is ready next: the frontier of a run, in ids and never in texts.

A lineage costs some 60 bytes here whatever its texts weigh: a head, a digest of its root, the last attempt, and
its place in the heap while it waits.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from evolver_store.schema import MAX_ORDINAL, ORDINAL_SHIFT, place, row_id

_EPOCH_SHIFT, _ATTEMPT_SHIFT = 34, 28


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt to be made: of which lineage, from which row, and which number it has.

    ``parent_id`` is the lineage's head: its latest survivor, or its seed. ``root`` is the digest of the seed's
    text, from which everything random about the attempt follows.
    """

    root_id: int
    parent_id: int
    epoch: int
    attempt: int
    root: int

    @property
    def id(self) -> int:
        """The id of the row that the attempt will become."""
        return self.root_id + row_id(0, 0, self.epoch, self.attempt)


def content_digest(text: str) -> int:
    """Return 64 bits that stand for a seed's text (blake2b)."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Frontier:
    """The lineages that wait for their next attempt, those with the most calls left first.

    To begin with it is empty: :meth:`restore` what earlier sessions have done, then :meth:`open` the lineages that
    have :meth:`work_left`.

    Args:
        run_id: The run.
        places: Ordinals that seeds can have, those of skipped records included.
        epochs: Epochs that every lineage goes through.
        attempts: Most attempts in one epoch; the first survivor ends it.
    """

    def __init__(self, run_id: int, places: int, *, epochs: int, attempts: int = 1) -> None:
        self._run_id = run_id
        self._epochs = epochs
        self._attempts = attempts
        empty = bytes(8 * places)
        self._roots = array("Q", empty)  # content digest by ordinal, of lineages that were opened
        self._heads = array("q", empty)  # the latest survivor's id, or 0 for the seed itself
        self._last = array("q", empty)  # the latest attempt's id, or 0
        self._ready: list[int] = []

    def __len__(self) -> int:
        """How many lineages wait."""
        return len(self._ready)

    def restore(self, ids: Iterable[int], *, survived: bool) -> None:
        """Take in attempts that an earlier session finished, in any order."""
        last, heads = self._last, self._heads
        for id_ in ids:
            ordinal = id_ >> ORDINAL_SHIFT & MAX_ORDINAL
            if id_ > last[ordinal]:
                last[ordinal] = id_
            if survived and id_ > heads[ordinal]:
                heads[ordinal] = id_

    def is_past(self, id_: int) -> bool:
        """Tell whether a lineage has gone on beyond an attempt."""
        return id_ < self._last[place(id_).ordinal]

    def work_left(self, seed_id: int) -> bool:
        """Tell whether a lineage has epochs left."""
        epoch, _ = self._next(place(seed_id).ordinal)
        return epoch <= self._epochs

    def open(self, seeds: Iterable[tuple[int, int]]) -> None:
        """Make lineages ready that have work left: (the id of the seed, the digest of its text) of each."""
        for seed_id, root in seeds:
            ordinal = place(seed_id).ordinal
            self._roots[ordinal] = root
            self._ready.append(_key(*self._next(ordinal), ordinal))
        heapq.heapify(self._ready)

    def take(self, most: int) -> list[Job]:
        """Hand out up to ``most`` jobs, those with the most calls left first; each comes back by :meth:`put_back`."""
        return [self._job(heapq.heappop(self._ready)) for _ in range(min(most, len(self._ready)))]

    def put_back(self, job: Job, *, survived: bool) -> None:
        """Take a lineage back after an attempt: with its new head if that survived, else with its old one."""
        ordinal = place(job.root_id).ordinal
        self._last[ordinal] = job.id
        if survived:
            self._heads[ordinal] = job.id
        epoch, attempt = self._next(ordinal)
        if epoch <= self._epochs:
            heapq.heappush(self._ready, _key(epoch, attempt, ordinal))

    def _next(self, ordinal: int) -> tuple[int, int]:
        last = self._last[ordinal]
        if not last:
            return 1, 1
        _, _, epoch, attempt = place(last)
        survived = last == self._heads[ordinal]
        return (epoch + 1, 1) if survived or attempt >= self._attempts else (epoch, attempt + 1)

    def _job(self, key: int) -> Job:
        ordinal = key & MAX_ORDINAL
        root_id = row_id(self._run_id, ordinal)
        return Job(
            root_id=root_id,
            parent_id=self._heads[ordinal] or root_id,
            epoch=key >> _EPOCH_SHIFT,
            attempt=key >> _ATTEMPT_SHIFT & 63,
            root=self._roots[ordinal],
        )


def _key(epoch: int, attempt: int, ordinal: int) -> int:
    return epoch << _EPOCH_SHIFT | attempt << _ATTEMPT_SHIFT | ordinal
