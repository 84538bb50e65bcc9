"""Rule ``refusal``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evolver.elimination.phrases import Phrases
from evolver.elimination.verdict import Candidate, Drop, Rule
from evolver.text import count_words

NAME = "refusal"

MAX_WORDS: Final = 80
PHRASES: Final = ("sorry",)

_SHOWN = 120  # characters of a provider's refusal that a reason quotes


def make_refusal(extra_phrases: Sequence[str] = ()) -> Rule:
    """Return the rule with more words for "sorry", in other languages for example; none may be blank."""
    phrases = Phrases.of((*PHRASES, *extra_phrases))

    def refusal(candidate: Candidate) -> Drop | None:
        """Drop a candidate whose response is a short apology, or is marked as refused by the provider.

        Units: words as ``count_words`` counts them; 79 words are dropped, 80 are kept.
        Edges: "sorry" in any case, as a whole word, so "Sorrynotsorry" is kept. A response that is not there
        yet is kept.
        Source: elimination rule 2 of Evol-Instruct, arXiv:2304.12244. Wrongly caught: a short correct answer
        that holds the word, a translation of it for example; the parent stays in the pool.
        """
        if candidate.response is None:
            return None
        if candidate.refused is not None or candidate.finish_reason == "refusal":
            said = " ".join((candidate.refused or candidate.response).split())[:_SHOWN]
            return Drop(NAME, f"the provider marked the response as refused: {said!r}")
        phrase = next(phrases.find(candidate.response), None)
        if phrase is None:
            return None
        words = count_words(candidate.response)
        if words >= MAX_WORDS:
            return None
        return Drop(NAME, f"the response says {phrase!r} in {words} words, fewer than {MAX_WORDS}")

    return refusal


refusal: Final = make_refusal()
