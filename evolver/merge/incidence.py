"""Which of some parts hold which runs of words, and how many of each part's a text holds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evolver.merge.grams import Hashes, Places

Counts = npt.NDArray[np.int64]

_SIEVE_BITS = 20


class Known(NamedTuple):
    """Runs of some texts that stand in a part: which, and the text of each, in ascending order."""

    runs: Places
    texts: Places


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
            return Known(np.zeros(0, np.int64), np.zeros(0, np.int64))
        maybe = np.flatnonzero(self._sieve[_sieved(hashes)])
        hashes, texts = hashes[maybe], texts[maybe]
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        same = self._hashes[at] == hashes
        return Known(at[same], texts[same])

    def shared(self, known: Known, texts: Places) -> Counts:
        """Return how many distinct runs each text (a row) shares with each part (a column).

        Args:
            known: As :meth:`known` returns it.
            texts: Which, in ascending order.
        """
        row = np.minimum(np.searchsorted(texts, known.texts), len(texts) - 1)
        own = texts[row] == known.texts
        pairs = np.sort(row[own] * len(self._hashes) + known.runs[own])
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        rows, runs = np.divmod(pairs, max(1, len(self._hashes)))
        counts = self._counts[runs]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        columns = self._parts[np.repeat(self._begins[runs], counts) + within]
        cells = np.repeat(rows, counts) * len(self.sizes) + columns
        return np.bincount(cells, minlength=len(texts) * len(self.sizes)).reshape(len(texts), -1)


def _sieved(hashes: Hashes) -> npt.NDArray[np.int64]:
    return (hashes >> np.uint64(64 - _SIEVE_BITS)).astype(np.int64)
