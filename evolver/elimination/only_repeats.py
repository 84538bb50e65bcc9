"""Rule ``only_repeats``."""

from __future__ import annotations

import re
from typing import Final

from evolver.elimination.verdict import Candidate, Drop

NAME: Final = "only_repeats"

MIN_WORDS: Final = 4

_WORD: Final = re.compile(r"\w+")


def only_repeats(candidate: Candidate) -> Drop | None:
    """Drop a candidate whose response says its instruction once more, and nothing else.

    Units: runs of letters, digits and underscores in folded case, in their order; an instruction of 3 is kept, one of
    4 is dropped. Edges: punctuation, white space and Markdown do not count, one word more or less does.
    Source: our own. Wrongly caught: a sentence that was to be corrected, given without any word around it, and was
    right but for its punctuation.
    """
    if candidate.response is None:
        return None
    if abs(len(candidate.response) - len(candidate.instruction)) > len(candidate.instruction):
        return None
    own = _WORD.findall(candidate.instruction.casefold())
    if len(own) < MIN_WORDS or own != _WORD.findall(candidate.response.casefold()):
        return None
    return Drop(NAME, f"the response is the {len(own)} words of the instruction once more")
