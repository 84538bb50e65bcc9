"""Is a text of a benchmark in a row? Three measures, since each alone lets leaks through.

``substring``: the whole text, whatever its case, white space and punctuation. ``ngram``: 13 words in a row.
``similarity``: the share of the text's three-word shingles that the row has, too, wherever they stand.
All of them look at words as :mod:`evolver.merge.words` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from evolver.merge.benchmarks import Item
from evolver.merge.grams import Grams, Hashes, Places, batches
from evolver.merge.incidence import Counts, Incidence, Known, Shared
from evolver.merge.words import spaced, words

NGRAM_WORDS = 13
NGRAM_DISTINCT = 7  # "0 0 0 0 1 0 0 …" is in many texts
NGRAM_ITEMS = 10  # a 13-gram of more items than these is the benchmark's own phrase, not a leak

# Shorter texts are everywhere: "return x + y". A prompt below the minimum still counts where it is all of a text.
MIN_PROMPT_WORDS = 8
MIN_SOLUTION_WORDS = 13
MIN_SOLUTION_NGRAMS = 0.5  # share; one loop of 13 words is in many programs, half of a solution is not
MIN_PROMPT_SHINGLES, PROMPT_SIMILARITY = 20, 0.5
MIN_SOLUTION_SHINGLES, SOLUTION_SIMILARITY = 30, 0.7

Kind = Literal["prompt", "solution"]
Method = Literal["substring", "ngram", "similarity"]
Shares = npt.NDArray[np.float64]

_Best = tuple[Method, int, float]

_SHINGLE_WORDS = 3


class Finding(NamedTuple):
    """What of a benchmark is in a row, where, and how it was found.

    ``score`` is 1 for ``substring``, else the share of the text's 13-grams or of its shingles that are in the row.
    """

    item: str
    part: Kind
    field: Literal["instruction", "response"]
    method: Method
    score: float


@dataclass(frozen=True, slots=True)
class _Part:
    """A text of a benchmark."""

    item: str
    kind: Kind
    text: str


class Match(NamedTuple):
    """A benchmark's text that is in a text, by the strongest measure that found it."""

    part: _Part
    method: Method
    score: float


class Contamination:
    """Finds the texts of benchmarks in rows; the work for a row hardly grows with the benchmarks.

    Nearly every row holds too few shingles of any benchmark for any measure, and is done with once they are counted.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        every = [
            part
            for item in items
            for part in (_Part(item.name, "prompt", item.prompt), _Part(item.name, "solution", item.solution))
        ]
        counts = [len(words(part.text)) for part in every]
        least = {"prompt": MIN_PROMPT_WORDS, "solution": MIN_SOLUTION_WORDS}
        self._short: dict[bytes, _Part] = {}
        for part, count in zip(every, counts, strict=True):
            if 0 < count < MIN_PROMPT_WORDS and part.kind == "prompt":
                self._short.setdefault(spaced(part.text), part)
        self._parts = [part for part, count in zip(every, counts, strict=True) if count >= least[part.kind]]
        grams = Grams([part.text for part in self._parts])
        self._shingles = Incidence(*grams.runs(_SHINGLE_WORDS), parts=len(self._parts))
        self._ngrams = Incidence(*_telling(grams), parts=len(self._parts), most=NGRAM_ITEMS)
        is_prompt = np.array([part.kind == "prompt" for part in self._parts], bool)
        self._least_ngrams = np.where(is_prompt, 0.0, MIN_SOLUTION_NGRAMS)
        enough = self._shingles.sizes >= np.where(is_prompt, MIN_PROMPT_SHINGLES, MIN_SOLUTION_SHINGLES)
        similar = np.where(is_prompt, PROMPT_SIMILARITY, SOLUTION_SIMILARITY)
        self._least_shingles = np.where(enough, similar, np.inf)
        self._least_held = _least_held(grams.words, self._shingles.sizes, self._least_shingles)

    def find(self, instruction: str, response: str) -> Finding | None:
        """Return the strongest finding of a row, in its instruction before its response; ``None``: it is clean."""
        return self.find_all([(instruction, response)])[0]

    def find_all(self, rows: Sequence[tuple[str, str]]) -> list[Finding | None]:
        """Do for many rows what :meth:`find` does for one; the work for each is far less."""
        texts = [text for row in rows for text in row]
        found = self._matches(texts)
        return [_stronger(found.get(place), found.get(place + 1)) for place in range(0, len(texts), 2)]

    def _matches(self, texts: Sequence[str]) -> dict[int, Match]:
        """Return the strongest match in each text that has one; among equal ones, the first of the benchmarks."""
        matches: dict[int, Match] = {}
        shingles, ngrams = [Known.none()], [Known.none()]
        for some in batches(texts):
            grams = Grams(texts[some])
            for place in np.flatnonzero(grams.words < MIN_PROMPT_WORDS).tolist() if self._short else ():
                if equal := self._short.get(spaced(texts[some.start + place])):
                    matches[some.start + place] = Match(equal, "substring", 1.0)
            known = self._shingles.known(*grams.runs(_SHINGLE_WORDS))
            held = np.bincount(known.texts, minlength=len(grams.words)) >= self._least_held
            if held.any():
                shingles.append(known.of(held, some.start))
                ngrams.append(self._ngrams.known(*grams.runs(NGRAM_WORDS)).of(held, some.start))
        if len(shingles) == 1:
            return matches
        shared = self._shingles.shared(Known.joined(shingles))
        found = _best("similarity", shared, self._shingles.sizes, self._least_shingles)
        shares = self._ngrams.shared(Known.joined(ngrams))
        found |= _best("ngram", shares, np.maximum(1, self._ngrams.sizes), self._least_ngrams)
        found |= self._whole(shared, texts)
        for place, (method, part, share) in found.items():
            matches[place] = Match(self._parts[part], method, share)
        return matches

    def _whole(self, shared: Shared, texts: Sequence[str]) -> dict[int, _Best]:
        """Return the first part that stands in each text as a whole; only one all of whose shingles are there can."""
        found: dict[int, _Best] = {}
        every = np.flatnonzero(shared.counts == self._shingles.sizes[shared.parts])
        for place, part in zip(shared.texts[every].tolist(), shared.parts[every].tolist(), strict=True):
            if place not in found and spaced(self._parts[part].text) in spaced(texts[place]):
                found[place] = ("substring", part, 1.0)
        return found


def _best(method: Method, shared: Shared, sizes: Counts, least: Shares) -> dict[int, _Best]:
    """Return the part with the highest share of each text that has one at the least or above."""
    shares = shared.counts / sizes[shared.parts]
    enough = np.flatnonzero(shares >= least[shared.parts])
    texts, parts, shares = shared.texts[enough], shared.parts[enough], shares[enough]
    # The last one of a text stays: the highest share, and the first part among equal ones.
    order = np.lexsort((-parts, shares, texts))
    each = zip(texts[order].tolist(), parts[order].tolist(), shares[order].tolist(), strict=True)
    return {text: (method, part, share) for text, part, share in each}


def _least_held(words: Counts, shingles: Counts, similar: Shares) -> int:
    """Return how many shingles of the benchmarks a text holds at the least if any measure finds it.

    A part that stands in it whole brings as many as it has words, less two; so does a 13-gram; and of a part that it
    is similar to it has a share. Rounding down loses nothing.
    """
    whole = min(words, default=MIN_PROMPT_WORDS)
    return int(min(whole - 2, NGRAM_WORDS - 2, np.min(similar * shingles, initial=np.inf)))


def _telling(grams: Grams) -> tuple[Hashes, Places]:
    """Return the 13-grams of parts that have enough different words."""
    hashes, texts = grams.runs(NGRAM_WORDS)
    inside = np.sort(grams.windows(NGRAM_WORDS), axis=1)
    different = (inside[:, 1:] != inside[:, :-1]).sum(axis=1) + 1
    return hashes[different >= NGRAM_DISTINCT], texts[different >= NGRAM_DISTINCT]


def _stronger(first: Match | None, second: Match | None) -> Finding | None:
    """Return the finding of a row from the matches in its instruction and its response."""
    if second is not None and (first is None or _strength(second) > _strength(first)):
        return _finding(second, "response")
    return None if first is None else _finding(first, "instruction")


def _strength(match: Match) -> tuple[int, float]:
    return ("similarity", "ngram", "substring").index(match.method), match.score


def _finding(match: Match, field: Literal["instruction", "response"]) -> Finding:
    return Finding(match.part.item, match.part.kind, field, match.method, match.score)
