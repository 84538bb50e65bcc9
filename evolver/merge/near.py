"""Near-duplicates: no pair is missed, and each is told by its exact Jaccard index.

The index of two texts is the share of their three-word shingles that both have. If all shingles are put in one order,
the rarest first, then two texts that are near share one of the first few of each ("prefix filtering", Chaudhuri et al.,
ICDE 2006; Bayardo et al., WWW 2007). Only texts that do so are compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evolver.merge.grams import Grams, Hashes, batches, distinct
from evolver.merge.words import spaced
from evolver.text import fold

_SHINGLE_WORDS = 3
_RARITY_BITS = 22  # shingles are counted in so many bins; two in one bin only make each other look less rare
_COUNTED = 2_000_000  # shingles that are counted at once

# A shingle among those of other texts, as one number: its text, its rarity, and the first bits of its hash.
_TEXT_BITS, _RANK_BITS = np.uint64(17), np.uint64(8)
_HASH_BITS = np.uint64(64) - _TEXT_BITS - _RANK_BITS
_WITHOUT_TEXT = np.uint64((1 << 64 - 17) - 1)
_AT_ONCE = 1 << 17  # shingles that are ordered at once, so no more texts
_SHINGLE_BITS = np.uint64(52)  # of a hash, as distinct() leaves it


class NearDuplicate(NamedTuple):
    """A text that is near to one kept before it, both by their place; ``jaccard`` is exact."""

    place: int
    kept: int
    jaccard: float


class NearDuplicates:
    """Finds texts that are near to one that was kept before them.

    Memory: eight bytes a distinct shingle, and as many for each that two texts may be near by; not the texts.

    Args:
        threshold: The least Jaccard index of a duplicate, above 0 and up to 1; below 0.1 most pairs are looked at.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._hashes = array("Q")  # of each text in ascending order
        self._ends = array("q", [0])

    def add(self, texts: Sequence[str]) -> None:
        """Take in the next texts; the place of one is the number of texts taken in before it."""
        for some in batches(texts):
            self._add(texts[some])

    def find(
        self, places: Iterable[int], spared: Callable[[int, int], bool] = lambda one, other: False
    ) -> Iterator[NearDuplicate]:
        """Go through ``places`` in their order, keep what is near to nothing kept so far, and yield the rest.

        ``spared`` tells of two texts, by their places, that they are not to count as duplicates.
        """
        order = list(places)
        groups, ends = self._groups(order)
        kept: dict[int, list[int]] = {}
        for at, place in enumerate(order):
            if ends[at] == ends[at + 1]:
                continue
            own = groups[ends[at] : ends[at + 1]].tolist()
            candidates = {other for group in own for other in kept.get(group, ())}
            nearest = self._nearest(place, (one for one in candidates if not spared(place, one)))
            if nearest is not None:
                yield nearest
                continue
            for group in own:
                kept.setdefault(group, []).append(place)

    def _add(self, texts: Sequence[str]) -> None:
        grams = Grams(texts)
        hashes, at = grams.runs(_SHINGLE_WORDS)
        short = np.flatnonzero(grams.words < _SHINGLE_WORDS)
        wholes = np.array([_whole(texts[place]) for place in short.tolist()], np.uint64)
        hashes, at = distinct(np.concatenate((hashes, wholes)), np.concatenate((at, short)))
        begin = self._ends[-1]
        self._hashes.frombytes(hashes.tobytes())
        self._ends.extend((begin + np.cumsum(np.bincount(at, minlength=len(texts)))).tolist())

    def _nearest(self, place: int, candidates: Iterable[int]) -> NearDuplicate | None:
        """Return the candidate of the highest index, the lowest place among equals."""
        own: set[int] = set()
        size = self._ends[place + 1] - self._ends[place]
        best: NearDuplicate | None = None
        for other in sorted(candidates):
            theirs = self._ends[other + 1] - self._ends[other]
            if min(size, theirs) < self._threshold * max(size, theirs):
                continue
            own = own or set(self._shingles(place))
            shared = len(own.intersection(self._shingles(other)))
            jaccard = shared / (size + theirs - shared)
            if jaccard >= self._threshold and (best is None or jaccard > best.jaccard):
                best = NearDuplicate(place, other, jaccard)
        return best

    def _shingles(self, place: int) -> array[int]:
        return self._hashes[self._ends[place] : self._ends[place + 1]]

    def _groups(self, places: Sequence[int]) -> tuple[npt.NDArray[np.int32], Sequence[int]]:
        """Return the numbers of the rare shingles that a text at ``places`` shares with another, and their ends.

        Of a text's shingles, the rarest ``n - ceil(threshold * n) + 1`` are looked at: if none of them is in the
        other text, the others are too few for the threshold.
        """
        chosen = np.array(places, np.int64)
        ends = np.frombuffer(self._ends, np.int64)
        rarity = self._rarity()
        firsts: list[Hashes] = [np.zeros(0, np.uint64)]
        sizes = [np.zeros(1, np.int64)]
        for some in _chunks(ends[chosen + 1] - ends[chosen]):
            first, size = self._first(chosen[some], rarity)
            firsts.append(first)
            sizes.append(size)
        del rarity
        _, group, counts = np.unique(np.concatenate(firsts), return_inverse=True, return_counts=True)
        ends = np.cumsum(np.concatenate(sizes))
        shared = counts[group] > 1
        before = np.concatenate(([0], np.cumsum(shared)))
        return group[shared].astype(np.int32), before[ends].tolist()

    def _first(
        self, chosen: npt.NDArray[np.int64], rarity: npt.NDArray[np.uint8]
    ) -> tuple[Hashes, npt.NDArray[np.int64]]:
        """Return the rarest shingles of some texts, by text, and how many of each.

        A shingle is known by its rarity and what the number of its text leaves room for of its hash. Two that are
        taken for one are so in every text: that makes texts look nearer, and no pair is missed.
        """
        hashes, ends = np.frombuffer(self._hashes, np.uint64), np.frombuffer(self._ends, np.int64)
        begins, counts = ends[chosen], ends[chosen + 1] - ends[chosen]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        own = hashes[np.repeat(begins, counts) + within]
        own = rarity[_bin(own)].astype(np.uint64) << _HASH_BITS | own >> (_SHINGLE_BITS - _HASH_BITS)
        own |= np.repeat(np.arange(len(chosen), dtype=np.uint64), counts) << (_RANK_BITS + _HASH_BITS)
        own.sort()
        looked_at = counts - np.ceil(counts * self._threshold - 1e-9).astype(np.int64) + 1
        first = own[within < np.repeat(looked_at, counts)]
        return first & _WITHOUT_TEXT, np.minimum(looked_at, counts)

    def _rarity(self) -> npt.NDArray[np.uint8]:
        """Return how many shingles are in each bin, up to the most that is told apart."""
        rarity = np.zeros(1 << _RARITY_BITS, np.int32)
        hashes = np.frombuffer(self._hashes, np.uint64)
        for begin in range(0, len(hashes), _COUNTED):
            rarity += np.bincount(_bin(hashes[begin : begin + _COUNTED]), minlength=len(rarity)).astype(
                np.int32
            )
        return np.minimum(rarity, (1 << _RANK_BITS) - 1).astype(np.uint8)


def _chunks(sizes: npt.NDArray[np.int64]) -> Iterator[slice]:
    """Yield slices of texts that have some ``_AT_ONCE`` shingles together."""
    chunk = np.cumsum(sizes) // _AT_ONCE
    edges = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(sizes)]
    return (slice(begin, end) for begin, end in pairwise(edges))


def _bin(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes >> (_SHINGLE_BITS - np.uint64(_RARITY_BITS))).astype(np.int64)


def _whole(text: str) -> int:
    """Return the shingle of a text of one or two words, or of none."""
    whole = spaced(text).strip() or fold(text).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(whole, digest_size=8).digest(), "little")
