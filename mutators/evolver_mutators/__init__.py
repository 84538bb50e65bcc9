"""The built-in mutators, found through the entry points that anybody's are found through."""

from evolver_mutators.breadth import BREADTH
from evolver_mutators.code import (
    CODE_COMPLEXITY,
    CODE_CONSTRAINTS,
    CODE_MISDIRECTION,
    CODE_REASONING,
    CODE_SPECIFIC,
)
from evolver_mutators.depth import ADD_CONSTRAINTS, COMPLICATE_INPUT, CONCRETIZE, DEEPEN, INCREASE_REASONING
from evolver_mutators.presets import WIZARDCODER, WIZARDLM

__all__ = [
    "ADD_CONSTRAINTS",
    "BREADTH",
    "CODE_COMPLEXITY",
    "CODE_CONSTRAINTS",
    "CODE_MISDIRECTION",
    "CODE_REASONING",
    "CODE_SPECIFIC",
    "COMPLICATE_INPUT",
    "CONCRETIZE",
    "DEEPEN",
    "INCREASE_REASONING",
    "WIZARDCODER",
    "WIZARDLM",
]
