"""In-depth evolving: five ways to make one instruction harder without changing what it is about.

Source: Evol-Instruct, arXiv:2304.12244, section 3.2 and its appendix. The wording of the prompts is evolver's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from evolver.plugins import Prompt
from evolver_mutators.template import TemplateMutator
from evolver_templates import render
from evolver_templates.labels import FORMATS

_MARKERS = ("rewritten prompt", "given prompt", "rewriter of prompts")
_FORMATS = tuple(FORMATS)


def _depth(name: str, description: str) -> TemplateMutator:
    return TemplateMutator(name, "depth", description, f"depth/{name}.jinja", _MARKERS)


@dataclass(frozen=True, slots=True)
class InputMutator(TemplateMutator):
    """Asks for data of one format in the instruction; the format is drawn once per attempt and recorded."""

    def prompt(self, instruction: str, rng: Random) -> Prompt:
        """Draw the format, each with the same chance, and ask for the rewrite."""
        drawn = _FORMATS[int(rng.random() * len(_FORMATS))]
        return Prompt(
            render(self.template, instruction=instruction, data=FORMATS[drawn]), details={"format": drawn}
        )


ADD_CONSTRAINTS = _depth("add_constraints", "Adds one more constraint or requirement.")
DEEPEN = _depth("deepen", "Makes an inquiry deeper and broader.")
CONCRETIZE = _depth("concretize", "Exchanges general concepts for more specific ones.")
INCREASE_REASONING = _depth("increase_reasoning", "Asks explicitly for reasoning in multiple steps.")
COMPLICATE_INPUT = InputMutator(
    "complicate_input",
    "depth",
    "Puts data into the instruction: XML, an SQL database, Python code, an HTML page, a shell command or JSON.",
    "depth/complicate_input.jinja",
    (*_MARKERS, *(f"must contain {data.lower()} as its input" for data in FORMATS.values())),
)
