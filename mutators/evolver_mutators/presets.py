"""The sets of mutators that go by the name of the paper they come from; every member has the same weight."""

from __future__ import annotations

from evolver_mutators.breadth import BREADTH
from evolver_mutators.code import (
    CODE_COMPLEXITY,
    CODE_CONSTRAINTS,
    CODE_MISDIRECTION,
    CODE_REASONING,
    CODE_SPECIFIC,
)
from evolver_mutators.depth import ADD_CONSTRAINTS, COMPLICATE_INPUT, CONCRETIZE, DEEPEN, INCREASE_REASONING

WIZARDLM = (ADD_CONSTRAINTS, DEEPEN, CONCRETIZE, INCREASE_REASONING, COMPLICATE_INPUT, BREADTH)
WIZARDCODER = (CODE_CONSTRAINTS, CODE_SPECIFIC, CODE_REASONING, CODE_MISDIRECTION, CODE_COMPLEXITY)
