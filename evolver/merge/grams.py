"""Runs of neighbouring words of many texts at once, each as a number of 64 bits.

The words are those of :func:`evolver.merge.words.spaced`. Whatever their case, punctuation and spacing, equal runs
have equal numbers, on every machine and in every process; two that differ share one with a chance of some 2**-60.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from unicodedata import category, normalize

import numpy as np
import numpy.typing as npt

from evolver.merge.words import spaced
from evolver.text import CJK

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

BATCH_CHARACTERS = 100_000
"""Characters of a batch of texts: what is made of them while it is worked on fits a processor's own cache."""

_TEXT_BITS, _KEPT_BITS = np.uint64(12), np.uint64(52)
_BATCH_TEXTS = 1 << 12
_CODES = 0x110000
_ALONE = 1 << 31  # marks a character that is a word by itself
_UNKNOWN, _ODD = 0xFFFFFFFF, 0xFFFFFFFE
_JOINING = ((0x1100, 0x11FF), (0x3130, 0x318F), (0xA960, 0xA97F), (0xD7B0, 0xD7FF), (0xFF61, 0xFFDF))
_HELD = 1 << 24  # bytes; below the 32 MiB up to which glibc learns
_BASE = 0xD1342543DE82EF95
_MIX = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)  # of MurmurHash3's finalizer


class Grams:
    """The words of some texts; ``words`` counts those of each."""

    def __init__(self, texts: Sequence[str]) -> None:
        _hold_memory()
        values, ends = _values(texts)
        begins, stops = _edges(values)
        powers, inverses = _powers(len(values))
        sums = np.zeros(len(values) + 1, np.uint64)
        np.cumsum(values * powers[: len(values)], out=sums[1:])
        own = _mixed((sums[stops] - sums[begins]) * inverses[begins])
        self.words: Places = np.diff(np.searchsorted(begins, ends), prepend=0)
        self._text = np.repeat(np.arange(len(texts)), self.words)
        self._own = own
        self._sums = np.zeros(len(own) + 1, np.uint64)
        np.cumsum(own * powers[: len(own)], out=self._sums[1:])
        self._inverses = inverses

    def runs(self, words: int) -> tuple[Hashes, Places]:
        """Return every run of so many neighbouring words, by text and from the first on, and the text of each."""
        count = len(self._text) - words + 1
        if count < 1:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        hashes = _mixed((self._sums[words:] - self._sums[:count]) * self._inverses[:count])
        within = self._text[:count] == self._text[words - 1 :]
        return hashes[within], self._text[:count][within]

    def windows(self, words: int) -> npt.NDArray[np.uint64]:
        """Return the single words of every run that :meth:`runs` returns, a run in each row."""
        if len(self._own) < words:
            return np.zeros((0, words), np.uint64)
        every = np.lib.stride_tricks.sliding_window_view(self._own, words)
        within: npt.NDArray[np.uint64] = every[self._text[: len(every)] == self._text[words - 1 :]]
        return within


def distinct(hashes: Hashes, texts: Places) -> tuple[Hashes, Places]:
    """Return each pair of hash and text of a batch once, by text and then by hash.

    Of a hash, the first 52 bits stay: with the text they make one number, which is sorted many times as fast as two.
    """
    both = texts.astype(np.uint64) << _KEPT_BITS | hashes >> _TEXT_BITS
    both.sort()
    new = np.ones(len(both), bool)
    new[1:] = both[1:] != both[:-1]
    both = both[new]
    return both & np.uint64((1 << 52) - 1), (both >> _KEPT_BITS).astype(np.int64)


def batches(texts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of texts that make a batch each."""
    begin = characters = 0
    for place, text in enumerate(texts):
        characters += len(text)
        if characters >= BATCH_CHARACTERS or place - begin == _BATCH_TEXTS - 1:
            yield slice(begin, place + 1)
            begin, characters = place + 1, 0
    if begin < len(texts):
        yield slice(begin, len(texts))


@cache
def _hold_memory() -> None:
    """Have the C library keep what is freed, instead of giving it back and asking for it anew with every array.

    glibc holds back twice as much as the largest piece that it was ever given back; half of all time went there.
    """
    np.empty(_HELD, np.uint8)


def _edges(values: npt.NDArray[np.uint32]) -> tuple[Places, Places]:
    """Return where each word begins and where it stops; the first and the last value part words."""
    word = values != 0
    if values.max() < _ALONE:
        turns = np.flatnonzero(word[1:] != word[:-1]) + 1
        return turns[::2], turns[1::2]
    alone = values >= np.uint32(_ALONE)
    apart = ~(word[1:] & word[:-1]) | alone[1:] | alone[:-1]
    return np.flatnonzero(word[1:] & apart) + 1, np.flatnonzero(word[:-1] & apart) + 1


def _values(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], Places]:
    """Return every character as a number, 0 where it parts words, and where each text ends."""
    codes = _codes("\0".join(["", *texts, ""]))
    ends: Places = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    values = _looked_up(codes)
    if values.max() < _ODD:
        return values, ends
    odd = np.flatnonzero(values == _ODD)
    # A character whose normal form hangs on its neighbours, or is several: these texts are put into words one by
    # one, and their characters looked up in the table's other half, which leaves them as they are.
    slow = np.unique(np.searchsorted(ends, odd)).tolist()
    parted = list(texts)
    for place in slow:
        parted[place] = spaced(texts[place]).decode("utf-8", "surrogatepass")
    codes = _codes("\0".join(["", *parted, ""])).copy()
    ends = np.cumsum(np.fromiter(map(len, parted), np.int64, len(parted)) + 1)
    for place in slow:
        codes[ends[place] - len(parted[place]) : ends[place]] += np.uint32(_CODES)
    return _looked_up(codes), ends


def _codes(text: str) -> npt.NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _looked_up(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    table = _table()
    # No character is beyond the table; to have that checked takes half as long again.
    values = table.take(codes, mode="clip")
    if values.max() == _UNKNOWN:
        for code in np.unique(codes[values == _UNKNOWN]).tolist():
            table[code] = _value(code)
        values = table.take(codes, mode="clip")
    return values


@cache
def _table() -> npt.NDArray[np.uint32]:
    """Make the table of all characters, first as they stand in a text, then as they stand among its words."""
    return np.full(2 * _CODES, _UNKNOWN, np.uint32)


def _value(code: int) -> int:
    character = chr(code % _CODES)
    if code < _CODES:
        if category(character).startswith("M") or _joins(code):
            return _ODD
        character = normalize("NFKC", character).casefold()
        if len(character) != 1:
            return _ODD if any(map(str.isalnum, character)) else 0
    if CJK.match(character):
        return _ALONE | ord(character)
    return ord(character) if character.isalnum() else 0


def _joins(code: int) -> bool:
    """Tell whether a letter may become one with its neighbour: parts of hangul, half-width kana."""
    return any(first <= code <= last for first, last in _JOINING)


@lru_cache(maxsize=2)
def _powers_of(exponent: int) -> tuple[Hashes, Hashes]:
    both = np.full((2, 1 << exponent), _BASE, np.uint64)
    both[1] = pow(_BASE, -1, 1 << 64)
    both[:, 0] = 1
    np.cumprod(both, axis=1, out=both)
    return both[0], both[1]


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return at least so many powers of the base, and of its inverse, modulo 2**64."""
    return _powers_of(max(16, (count - 1).bit_length()))


def _mixed(hashes: Hashes) -> Hashes:
    """Spread the numbers over all 64 bits; none is lost, since each step can be undone."""
    for factor in _MIX:
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))
