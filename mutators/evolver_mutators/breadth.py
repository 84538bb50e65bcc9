"""In-breadth evolving: a new instruction of the same domain, for topics the pool does not have yet.

Source: Evol-Instruct, arXiv:2304.12244, section 3.2 and its appendix. The wording of the prompt is evolver's own.
"""

from __future__ import annotations

from evolver_mutators.template import TemplateMutator

BREADTH = TemplateMutator(
    "breadth",
    "breadth",
    "Creates a new instruction: same domain, rarer, similar length and difficulty.",
    "breadth.jinja",
    ("created prompt", "given prompt", "creator of prompts"),
)
