"""Finding phrases as whole words, in any case and any spacing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from evolver.text import CJK, fold


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases made ready for many texts; :meth:`of` builds them.

    Each comes with its longest word: a text without that word, which is nearly every text, is done after a
    plain search.
    """

    ready: tuple[tuple[str, re.Pattern[str]], ...]

    @classmethod
    def of(cls, phrases: Iterable[str], *, plural: bool = False) -> Phrases:
        """Build from phrases that are not blank; ``plural`` lets each end in an "s" as well."""
        folded = dict.fromkeys(fold(phrase.replace("’", "'")) for phrase in phrases)
        return cls(tuple(_make_ready(phrase, plural) for phrase in folded))

    def find(self, text: str) -> Iterator[str]:
        """Yield every phrase that stands in ``text``, folded, as often as it does."""
        folded = text.casefold()
        for longest_word, pattern in self.ready:
            if longest_word not in folded:
                continue
            for match in pattern.finditer(folded):
                if _ends_words(folded, match.start()) and _ends_words(folded, match.end()):
                    yield fold(match.group())


def _make_ready(phrase: str, plural: bool) -> tuple[str, re.Pattern[str]]:
    """Return a folded phrase's longest word and its pattern."""
    words = r"\s+".join(map(re.escape, phrase.split())).replace("'", "['’]")
    return max(re.split(r"[\s']", phrase), key=len), re.compile(f"{words}s?" if plural else words)


def _ends_words(text: str, place: int) -> bool:
    """Tell whether no word goes on across ``place``.

    Han, kana and hangul stand next to each other and to Latin letters without a space, so they never join.
    """
    return not (0 < place < len(text) and _joins(text[place - 1]) and _joins(text[place]))


def _joins(character: str) -> bool:
    """Tell whether ``character`` makes one word with a neighbour that does so too."""
    return (character == "_" or character.isalnum()) and not CJK.match(character)
