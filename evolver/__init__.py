"""evolver: grow a pool of instructions into a graded, diverse training set (Evol-Instruct).

The names below are the public ones; each is loaded when it is first used, so that importing evolver is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evolver.elimination.verdict import Candidate, Drop, rule
    from evolver.errors import EvolverError
    from evolver.evolution import Evolution
    from evolver.lineage import Lineage, Rows
    from evolver.models.protocol import Completion, Model, Request, Sampling
    from evolver.plugins import Mutator, Prompt, Unusable, mutator
    from evolver.result import Result

    __version__: str

_HOMES = {
    "Candidate": "evolver.elimination.verdict",
    "Completion": "evolver.models.protocol",
    "Drop": "evolver.elimination.verdict",
    "Evolution": "evolver.evolution",
    "EvolverError": "evolver.errors",
    "Lineage": "evolver.lineage",
    "Model": "evolver.models.protocol",
    "Mutator": "evolver.plugins",
    "Prompt": "evolver.plugins",
    "Request": "evolver.models.protocol",
    "Result": "evolver.result",
    "Rows": "evolver.lineage",
    "Sampling": "evolver.models.protocol",
    "Unusable": "evolver.plugins",
    "mutator": "evolver.plugins",
    "rule": "evolver.elimination.verdict",
}

__all__ = [
    "Candidate",
    "Completion",
    "Drop",
    "Evolution",
    "EvolverError",
    "Lineage",
    "Model",
    "Mutator",
    "Prompt",
    "Request",
    "Result",
    "Rows",
    "Sampling",
    "Unusable",
    "__version__",
    "mutator",
    "rule",
]


def __getattr__(name: str) -> Any:
    """Load a public name where it lives."""
    if name == "__version__":
        return import_module("evolver.version").VERSION
    if name not in _HOMES:
        raise AttributeError(f"module 'evolver' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
