"""Rule ``longer_than_parent``."""

from __future__ import annotations

from typing import Final

from evolver.elimination.verdict import Candidate, Drop, Rule
from evolver.text import count_words

NAME: Final = "longer_than_parent"

TIMES: Final = 5.0
MIN_WORDS: Final = 100


def make_longer_than_parent(times: float = TIMES) -> Rule:
    """Return the rule for so many times; above 1."""

    def longer_than_parent(candidate: Candidate) -> Drop | None:
        """Drop a rewrite that is too many times longer than its parent.

        Units: words as ``count_words`` counts them; exactly so many times is kept, and so is any rewrite of up to 100
        words, which is what a rewrite of a short instruction may well take.
        Source: our own. Wrongly caught: a rewrite that shows the data or code it speaks of; so it is off by default.
        """
        words, before = count_words(candidate.instruction), count_words(candidate.parent)
        if words <= MIN_WORDS or not before or words <= times * before:
            return None
        return Drop(NAME, f"the rewrite has {words} words, more than {times:g} times its parent's {before}")

    return longer_than_parent


longer_than_parent: Final = make_longer_than_parent()
