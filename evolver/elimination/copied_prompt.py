"""Rule ``copied_prompt``."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from evolver.chatter import tokens_in
from evolver.elimination.phrases import Phrases
from evolver.elimination.verdict import Candidate, Drop
from evolver_templates import prompt_labels

NAME = "copied_prompt"

_LABEL_FORMS: Final = ("#{}#", "# {} #", "#{}:")
"""How a model shows a label; the bare words of one, such as "method", are anybody's."""

PHRASES: Final = ("given prompt", "rewritten prompt", "created prompt", "new prompt")


def copied_prompt(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that shows a phrase of the prompt that asked for it, or a token of a chat template.

    Edges: whole words in any case and spacing, with or without ``#``, singular or plural, so "renew promptly"
    lives; :data:`PHRASES`, the mutator's own markers, and with their ``#`` the labels of all our prompts
    (``#Method#``). A phrase or token that stands in the parent too is not copied.
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
    for token in tokens_in(candidate.instruction):
        if token not in candidate.parent:
            return Drop(NAME, f"the rewrite holds {token!r}, a token of a chat template")
    return None


@lru_cache(maxsize=256)
def _phrases(markers: tuple[str, ...]) -> Phrases:
    """Make a mutator's phrases ready; the sign ``#`` around a marker may be there or not."""
    own = (marker.strip("# \t\r\n") or marker.strip() for marker in markers)
    labels = [form.format(label.strip("#")) for label in prompt_labels() for form in _LABEL_FORMS]
    return Phrases.of([*PHRASES, *labels, *(marker for marker in own if marker)], plural=True)


def _singular(phrase: str) -> str:
    """Return the form under which singular and plural are one phrase."""
    return phrase.removesuffix("s")
