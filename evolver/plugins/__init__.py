"""Mutators: what one is, how one is written, and how they are found, checked and drawn."""

from evolver.plugins.authoring import FunctionMutator, mutator
from evolver.plugins.loaded import LoadedMutator, MutatorSet
from evolver.plugins.protocol import Mutator, Prompt, Unusable
from evolver.plugins.registry import DEFAULT_PRESET, Installed, installed, load_mutators, parse_mutator_list

__all__ = [
    "DEFAULT_PRESET",
    "FunctionMutator",
    "Installed",
    "LoadedMutator",
    "Mutator",
    "MutatorSet",
    "Prompt",
    "Unusable",
    "installed",
    "load_mutators",
    "mutator",
    "parse_mutator_list",
]
