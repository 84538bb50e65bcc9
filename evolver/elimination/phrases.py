"""Finding phrases as whole words, in any case and any spacing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from evolver.text import CJK, fold

# Neighbours that make a phrase a part of a longer word. Han, kana and hangul stand next to each other without
# a space, so they never do.
_WORD_BEFORE = rf"(?<![^\W{CJK}])"
_WORD_AFTER = rf"(?![^\W{CJK}])"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases made ready for many texts; :meth:`of` builds them.

    ``needles`` holds a word of every phrase: a text without any of them, which is nearly every text, is done
    after a plain search.
    """

    needles: tuple[str, ...]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, phrases: Iterable[str], *, plural: bool = False) -> Phrases:
        """Build from phrases that are not blank; ``plural`` lets each end in an "s" as well."""
        folded = list(dict.fromkeys(fold(phrase.replace("’", "'")) for phrase in phrases))
        needles = (max(re.split(r"[\s']", phrase), key=len) for phrase in folded)
        # The longest first: of two phrases that begin alike the pattern takes the one it tries first.
        patterns = (_as_pattern(phrase, plural) for phrase in sorted(folded, key=len, reverse=True))
        return cls(tuple(dict.fromkeys(needles)), re.compile("|".join(patterns)))

    def find(self, text: str) -> Iterator[str]:
        """Yield every phrase that stands in ``text``, folded, in the order of the text."""
        folded = text.casefold()
        for needle in self.needles:
            if needle in folded:
                break
        else:
            return
        for match in self.pattern.finditer(folded):
            yield fold(match.group())


def _as_pattern(phrase: str, plural: bool) -> str:
    """Return the pattern of one folded phrase."""
    words = r"\s+".join(map(re.escape, phrase.split())).replace("'", "['’]")
    before = _WORD_BEFORE if re.match(rf"[^\W{CJK}]", phrase) else ""
    after = _WORD_AFTER if re.match(rf"[^\W{CJK}]", phrase[-1]) else ""
    return f"{before}{words}{'s?' if plural else ''}{after}"
