"""Code Evol-Instruct: five ways to make a programming question harder.

Source: WizardCoder, arXiv:2306.08568, section 3.1. The wording of the prompts is evolver's own.
"""

from __future__ import annotations

from evolver_mutators.template import TemplateMutator

_MARKERS = ("rewritten prompt", "given prompt", "rewriter of programming questions")


def _code(method: str, description: str) -> TemplateMutator:
    return TemplateMutator(f"code_{method}", "code", description, f"code/{method}.jinja", _MARKERS)


CODE_CONSTRAINTS = _code("constraints", "Adds constraints and requirements, in about 10 words.")
CODE_SPECIFIC = _code("specific", "Replaces a common requirement by a rarer, more specific one.")
CODE_REASONING = _code("reasoning", "Makes the problem need more reasoning steps.")
CODE_MISDIRECTION = _code("misdirection", "Gives a piece of erroneous code as a misleading reference.")
CODE_COMPLEXITY = _code("complexity", "Demands a higher time or space complexity, though not often.")
