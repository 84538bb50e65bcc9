"""Rule ``copied_prompt``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from evolver.elimination.phrases import Phrases
from evolver.elimination.verdict import Candidate, Drop

NAME = "copied_prompt"

PHRASES: Final = ("given prompt", "rewritten prompt", "created prompt", "new prompt")


def copied_prompt(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that shows a phrase of the prompt that asked for it.

    Edges: whole words in any case and spacing, with or without ``#``, singular or plural, so "renew promptly"
    lives; :data:`PHRASES` and the mutator's own markers. A phrase that stands in the parent too is not copied.
    Source: elimination rule 4 of Evol-Instruct, arXiv:2304.12244. Wrongly caught: a rewrite that brings up
    prompts of its own accord, such as "write a new prompt for the shell".
    """
    phrases = _phrases(candidate.markers)
    inherited: set[str] | None = None
    for phrase in phrases.find(candidate.instruction):
        if inherited is None:
            inherited = {_singular(known) for known in phrases.find(candidate.parent)}
        if _singular(phrase) not in inherited:
            return Drop(NAME, f"the rewrite holds {phrase!r}, a phrase of the evolving prompt")
    return None


@lru_cache(maxsize=256)
def _phrases(markers: tuple[str, ...]) -> Phrases:
    """Make a mutator's phrases ready; the sign ``#`` around a marker may be there or not."""
    own = (marker.strip("# \t\r\n") or marker.strip() for marker in markers)
    return Phrases.of([*PHRASES, *(marker for marker in own if marker)], plural=True)


def _singular(phrase: str) -> str:
    """Return the form under which singular and plural are one phrase."""
    return phrase.removesuffix("s")
