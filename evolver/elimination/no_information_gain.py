"""Rule ``no_information_gain``, the part that needs no call; the other part is the judge's answer."""

from __future__ import annotations

from evolver.elimination.verdict import Candidate, Drop
from evolver.text import count_words, fold

NAME = "no_information_gain"


def no_information_gain(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that is empty, or says what its parent says; ``None`` passes it on to the judge.

    Edges: equal means equal after folding case and white space; a comma more is a difference, and the judge's
    to weigh. A text without a visible character is empty.
    Source: elimination rule 1 of Evol-Instruct, arXiv:2304.12244. Wrongly caught: a rewrite of code that
    changes indentation or case alone.
    """
    if is_blank(candidate.instruction):
        refused = "; the provider marked it as refused" if candidate.refused is not None else ""
        return Drop(NAME, f"the rewrite is empty{refused}")
    if not _is_same(candidate.parent, candidate.instruction):
        return None
    words = count_words(candidate.instruction)
    return Drop(NAME, f"the rewrite's {words} words are its parent's, case and white space aside")


def is_blank(text: str) -> bool:
    """Tell whether nothing of ``text`` can be seen: white space, control and format characters only."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def _is_same(parent: str, instruction: str) -> bool:
    """Compare folded; most rewrites end differently, so the last words are compared first."""
    ends = (text.rsplit(None, 1)[-1:] for text in (parent, instruction))
    parent_end, instruction_end = ("".join(end).casefold() for end in ends)
    return parent_end == instruction_end and fold(parent) == fold(instruction)
