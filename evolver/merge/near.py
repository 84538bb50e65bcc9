"""Near-duplicates: candidates from MinHash sketches, each verified by the exact Jaccard index.

The index of two texts is the share of their three-word shingles that both have. Sketches only say which pairs to
look at: none is dropped on an estimate, and a pair exactly at the threshold is looked at with a chance above 99.9%.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rensa import RMinHash, RMinHashLSH

from evolver.merge.words import shingles, words
from evolver.text import fold

_SLOTS = 128
_SEED = 1
_MISSED = 1e-3
_BATCH = 1_000


class NearDuplicate(NamedTuple):
    """A text that is near to one kept before it, both by their place; ``jaccard`` is exact."""

    place: int
    kept: int
    jaccard: float


class NearDuplicates:
    """Finds texts that are near to one that was kept before them.

    Memory: eight bytes a distinct shingle and about 600 a text, not the texts.

    Args:
        threshold: The least Jaccard index of a duplicate, above 0 and up to 1; below 0.1 most pairs are looked at.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._hashes = array("Q")
        self._ends = array("q", [0])
        self._sketches: list[RMinHash] = []
        self._batch: list[list[str]] = []

    def add(self, text: str) -> None:
        """Take in the next text; its place is the number of texts taken in before it."""
        self._batch.append(_tokens(text))
        if len(self._batch) == _BATCH:
            self._sketch()

    def find(self, places: Iterable[int]) -> Iterator[NearDuplicate]:
        """Go through ``places`` in their order, keep what is near to nothing kept so far, and yield the rest."""
        self._sketch()
        kept = RMinHashLSH(self._threshold, _SLOTS, bands(self._threshold))
        for place in places:
            sketch = self._sketches[place]
            nearest = self._nearest(place, kept.query(sketch))
            if nearest is None:
                kept.insert(place, sketch)
            else:
                yield nearest

    def _nearest(self, place: int, candidates: Iterable[int]) -> NearDuplicate | None:
        """Return the candidate of the highest index, the lowest place among equals."""
        own = set(self._shingles(place))
        best: NearDuplicate | None = None
        for other in sorted(candidates):
            theirs = self._shingles(other)
            if min(len(own), len(theirs)) < self._threshold * max(len(own), len(theirs)):
                continue
            shared = len(own.intersection(theirs))
            jaccard = shared / (len(own) + len(theirs) - shared)
            if jaccard >= self._threshold and (best is None or jaccard > best.jaccard):
                best = NearDuplicate(place, other, jaccard)
        return best

    def _shingles(self, place: int) -> array[int]:
        return self._hashes[self._ends[place] : self._ends[place + 1]]

    def _sketch(self) -> None:
        self._sketches += RMinHash.from_token_sets(self._batch, num_perm=_SLOTS, seed=_SEED)
        for hashes in RMinHash.hash_token_sets(self._batch):
            self._hashes.extend(hashes)
            self._ends.append(len(self._hashes))
        self._batch.clear()


def bands(threshold: float) -> int:
    """Return the fewest bands with which a pair at the threshold is missed with a chance below one in a thousand."""
    for rows in (32, 16, 8, 4, 2):
        if (1 - threshold**rows) ** (_SLOTS // rows) < _MISSED:
            return _SLOTS // rows
    return _SLOTS


def _tokens(text: str) -> list[str]:
    """Return the distinct shingles; a text of one or two words is one, and so is one without any word."""
    own = words(text)
    return list({" ".join(three) for three in shingles(own)}) or [" ".join(own) or fold(text)]
