"""A mutator whose prompt is one of evolver's templates."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from evolver.plugins import Prompt
from evolver.text import unwrap
from evolver_templates import render

_LABELS = ("Rewritten Prompt", "Created Prompt")


@dataclass(frozen=True, slots=True)
class TemplateMutator:
    """Fills one template with the instruction; there is one wording, so nothing is drawn.

    ``template`` is a path inside ``evolver_templates``.
    """

    name: str
    family: str
    description: str
    template: str
    markers: tuple[str, ...]
    version: int = 1

    def prompt(self, instruction: str, rng: Random) -> Prompt:
        """Ask for the rewrite; ``rng`` is not used."""
        return Prompt(render(self.template, instruction=instruction))

    def parse(self, completion: str) -> str:
        """Take the completion without the label some models echo, and without quotes or a fence around it."""
        return unwrap(completion, *_LABELS)
