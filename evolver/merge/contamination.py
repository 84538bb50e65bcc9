"""Is a text of a benchmark in a row? Three measures, since each alone lets leaks through.

``substring``: the whole text, whatever its case, white space and punctuation. ``ngram``: 13 words in a row.
``similarity``: the share of the text's three-word shingles that the row has, too, wherever they stand.
All of them look at words as :mod:`evolver.merge.words` makes them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Literal, NamedTuple

from evolver.merge.benchmarks import Item
from evolver.merge.words import Shingle, shingles, words

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

_RUN = b"\x01" * (NGRAM_WORDS - 2)  # a 13-gram shows as that many shingles in a row


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
    """A text of a benchmark, made ready."""

    item: str
    kind: Kind
    text: str
    ngrams: int
    shingles: int


class Match(NamedTuple):
    """A benchmark's text that is in a text, by the strongest measure that found it."""

    part: _Part
    method: Method
    score: float


class Contamination:
    """Finds the texts of benchmarks in rows; the work for a row hardly grows with the benchmarks.

    ``too_short`` counts texts below the minima: such a prompt is found only where it is all of a text, such a
    solution never.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.too_short = 0
        self._parts: list[_Part] = []
        self._short: dict[str, _Part] = {}
        self._shingles: dict[Shingle, list[int]] = defaultdict(list)
        self._ngrams: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for item in items:
            self._add(item.name, "prompt", item.prompt)
            self._add(item.name, "solution", item.solution)
        for common in [gram for gram, parts in self._ngrams.items() if len(parts) > NGRAM_ITEMS]:
            del self._ngrams[common]
        self._shingles.default_factory = self._ngrams.default_factory = None

    def find(self, instruction: str, response: str) -> Finding | None:
        """Return the strongest finding of a row, in its instruction before its response; ``None``: it is clean."""
        first, second = self.match(instruction), self.match(response)
        if first is None and second is None:
            return None
        if first is None or (second is not None and _strength(second) > _strength(first)):
            assert second is not None
            return _finding(second, "response")
        return _finding(first, "instruction")

    def match(self, text: str) -> Match | None:
        """Return the strongest match in a text; among equal ones, the first of the benchmarks."""
        own = words(text)
        if len(own) < MIN_SOLUTION_WORDS and (equal := self._short.get(" ".join(own))):
            return Match(equal, "substring", 1.0)
        known = bytes(map(self._shingles.__contains__, shingles(own)))
        if known.count(1) < MIN_PROMPT_WORDS - 2:
            return None
        hits = Counter(
            place for three in set(compress(shingles(own), known)) for place in self._shingles[three]
        )
        found = [*self._substrings(own, hits), *self._overlaps(own, known), *self._similar(hits)]
        return max(found, key=_strength, default=None)

    def _add(self, name: str, kind: Kind, text: str) -> None:
        own = words(text)
        distinct = set(shingles(own))
        grams = _ngrams(own, range(len(own) - NGRAM_WORDS + 1))
        part = _Part(name, kind, f" {' '.join(own)} ", len(grams), len(distinct))
        if len(own) < (MIN_PROMPT_WORDS if kind == "prompt" else MIN_SOLUTION_WORDS):
            self.too_short += bool(own)
            if own and kind == "prompt":
                self._short.setdefault(" ".join(own), part)
            return
        place = len(self._parts)
        self._parts.append(part)
        for three in distinct:
            self._shingles[three].append(place)
        for gram in grams:
            self._ngrams[gram].append(place)

    def _substrings(self, own: list[str], hits: Counter[int]) -> Iterator[Match]:
        joined = ""
        for place, shared in hits.items():
            part = self._parts[place]
            if shared == part.shingles:
                joined = joined or f" {' '.join(own)} "
                if part.text in joined:
                    yield Match(part, "substring", 1.0)

    def _overlaps(self, own: list[str], known: bytes) -> Iterator[Match]:
        counts = Counter(place for gram in _ngrams(own, _runs(known)) for place in self._ngrams.get(gram, ()))
        for place, shared in counts.items():
            part = self._parts[place]
            share = shared / part.ngrams
            if part.kind == "prompt" or share >= MIN_SOLUTION_NGRAMS:
                yield Match(part, "ngram", share)

    def _similar(self, hits: Counter[int]) -> Iterator[Match]:
        for place, shared in hits.items():
            part = self._parts[place]
            share = shared / part.shingles
            least, enough = (
                (MIN_PROMPT_SHINGLES, PROMPT_SIMILARITY)
                if part.kind == "prompt"
                else (MIN_SOLUTION_SHINGLES, SOLUTION_SIMILARITY)
            )
            if part.shingles >= least and share >= enough:
                yield Match(part, "similarity", share)


def _ngrams(own: Sequence[str], starts: Iterable[int]) -> set[tuple[str, ...]]:
    grams = {tuple(own[start : start + NGRAM_WORDS]) for start in starts}
    return {gram for gram in grams if len(set(gram)) >= NGRAM_DISTINCT}


def _runs(known: bytes) -> Iterator[int]:
    """Yield where 13 words begin whose shingles all stand in some benchmark."""
    start = known.find(_RUN)
    while start >= 0:
        yield start
        start = known.find(_RUN, start + 1)


def _strength(match: Match) -> tuple[int, float]:
    return ("similarity", "ngram", "substring").index(match.method), match.score


def _finding(match: Match, field: Literal["instruction", "response"]) -> Finding:
    return Finding(match.part.item, match.part.kind, field, match.method, match.score)
