"""Which of some parts hold which runs of words, and how many of each part's a text holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evolver.merge.grams import Hashes, Places

Counts = npt.NDArray[np.int64]

_SIEVE_BITS = 20
_DENSE = 8  # places to count in, for each number, from which sorting them is quicker


class Known(NamedTuple):
    """Runs of some texts that stand in a part: which, and the text of each, in ascending order."""

    runs: Places
    texts: Places

    @staticmethod
    def none() -> Known:
        """Return nothing that is known."""
        return Known(np.zeros(0, np.int64), np.zeros(0, np.int64))

    @staticmethod
    def joined(several: Sequence[Known]) -> Known:
        """Return what is known of several batches of texts."""
        return Known(*map(np.concatenate, zip(*several, strict=True)))

    def of(self, some: npt.NDArray[np.bool_], first: int) -> Known:
        """Return those of some texts, marked by their place in a batch, which begins at ``first``."""
        own = some[self.texts]
        return Known(self.runs[own], self.texts[own] + first)


class Shared(NamedTuple):
    """How many distinct runs a text has in common with a part; by text, then by part."""

    texts: Places
    parts: Places
    counts: Counts


class Incidence:
    """Runs of words and the parts that hold them.

    ``sizes`` counts the distinct runs of each part; those of more than ``most`` parts count, and are never found.

    Args:
        hashes: Runs, as :meth:`evolver.merge.grams.Grams.runs` returns them.
        held_by: The part of each.
        parts: How many parts there are.
        most: ``None`` knows no run that is too common.
    """

    def __init__(self, hashes: Hashes, held_by: Places, *, parts: int, most: int | None = None) -> None:
        order = np.lexsort((held_by, hashes))
        hashes, held_by = hashes[order], held_by[order]
        new = np.ones(len(hashes), bool)
        new[1:] = (hashes[1:] != hashes[:-1]) | (held_by[1:] != held_by[:-1])
        hashes, held_by = hashes[new], held_by[new]
        self.sizes: Counts = np.bincount(held_by, minlength=parts)
        self._parts = held_by
        self._hashes, self._begins, self._counts = np.unique(hashes, return_index=True, return_counts=True)
        if most is not None:
            few = self._counts <= most
            self._hashes, self._begins = self._hashes[few], self._begins[few]
            self._counts = self._counts[few]
        self._sieve = np.zeros(1 << _SIEVE_BITS, bool)
        self._sieve[_sieved(self._hashes)] = True

    def known(self, hashes: Hashes, texts: Places) -> Known:
        """Return which of some texts' runs stand in a part."""
        if not len(self._hashes):
            return Known.none()
        maybe = np.flatnonzero(self._sieve[_sieved(hashes)])
        hashes, texts = hashes[maybe], texts[maybe]
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        same = self._hashes[at] == hashes
        return Known(at[same], texts[same])

    def shared(self, known: Known) -> Shared:
        """Return how many distinct runs each text shares with each part, where it shares any."""
        bits = np.int64(max(1, len(self._hashes)).bit_length())
        pairs = _once(known.texts << bits | known.runs)
        texts, runs = pairs >> bits, pairs & ((1 << bits) - 1)
        counts = self._counts[runs]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        parts = self._parts[np.repeat(self._begins[runs], counts) + within]
        cells, counts = _counted(np.repeat(texts, counts) * len(self.sizes) + parts)
        return Shared(*np.divmod(cells, max(1, len(self.sizes))), counts)


def _counted(numbers: Places) -> tuple[Places, Counts]:
    """Return each number once, in ascending order, and how often it is there."""
    most = int(numbers.max(initial=-1)) + 1
    if most > _DENSE * len(numbers):
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers, minlength=most)
    held = np.flatnonzero(counts)
    return held, counts[held]


def _once(numbers: Places) -> Places:
    """Return each number once, in ascending order; none is below 0."""
    numbers = np.sort(numbers)
    return numbers[np.diff(numbers, prepend=-1) > 0]


def _sieved(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _SIEVE_BITS)).astype(np.int64)
