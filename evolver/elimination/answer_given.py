"""Rule ``answer_given``."""

from __future__ import annotations

from typing import Final

from evolver.elimination.verdict import Candidate, Drop
from evolver.text import count_words, fold

NAME: Final = "answer_given"

MIN_WORDS: Final = 12


def answer_given(candidate: Candidate) -> Drop | None:
    """Drop a candidate whose whole response stands in its instruction already.

    Units: words as ``count_words`` counts them; a response of 11 is kept, one of 12 is looked for, case and white
    space aside. A response that is the instruction is left to ``only_repeats``.
    Source: our own. Wrongly caught: what is asked to be found, copied or left as it is; so it is off by default.
    """
    if candidate.response is None:
        return None
    words = count_words(candidate.response)
    if words < MIN_WORDS:
        return None
    response, instruction = fold(candidate.response), fold(candidate.instruction)
    if response == instruction or response not in instruction:
        return None
    return Drop(NAME, f"all {words} words of the response stand in the instruction")
