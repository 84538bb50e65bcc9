"""evolver: grow a pool of instructions into a graded, diverse training set (Evol-Instruct).

The names below are the public ones; each is loaded when it is first used, so that importing evolver is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evolver.consent import CostWarning
    from evolver.elimination.rules import load_rules
    from evolver.elimination.verdict import Candidate, Drop, rule
    from evolver.errors import (
        AllFailedError,
        BatchMissingError,
        BudgetError,
        EvolverError,
        ModelError,
        NewerStoreError,
        NoPoolError,
        NotAStoreError,
        OutputError,
        PluginError,
        PoolError,
        QueryError,
        RowModelError,
        RunBusyError,
        RunMissingError,
        RunModelError,
        SettingsError,
        StoppedError,
        StoreError,
        StoreMissingError,
        TransientModelError,
        UnknownBatchError,
        UnknownNameError,
        UnknownQueryError,
        UsageError,
    )
    from evolver.events import (
        AttemptEnded,
        BatchProgress,
        CallEnded,
        CallRetried,
        Event,
        Merging,
        Notice,
        PoolRead,
        RunStarted,
        SeedAnswered,
        Stopping,
    )
    from evolver.evolution import Evolution
    from evolver.lineage import Lineage, Rows
    from evolver.merge.job import MergeReport
    from evolver.merge.public import merge
    from evolver.models.protocol import Completion, Model, Request, Sampling
    from evolver.models.registry import Provider, Setup
    from evolver.plugins import Mutator, Prompt, Unusable, mutator
    from evolver.pool import Pool
    from evolver.quoting import quote
    from evolver.report.estimate import Estimate
    from evolver.report.summary import RunStats
    from evolver.result import Result

    __version__: str

_HOMES = {
    "AllFailedError": "evolver.errors",
    "AttemptEnded": "evolver.events",
    "BatchMissingError": "evolver.errors",
    "BatchProgress": "evolver.events",
    "BudgetError": "evolver.errors",
    "CallEnded": "evolver.events",
    "CallRetried": "evolver.events",
    "Candidate": "evolver.elimination.verdict",
    "Completion": "evolver.models.protocol",
    "CostWarning": "evolver.consent",
    "Drop": "evolver.elimination.verdict",
    "Estimate": "evolver.report.estimate",
    "Event": "evolver.events",
    "Evolution": "evolver.evolution",
    "EvolverError": "evolver.errors",
    "Lineage": "evolver.lineage",
    "MergeReport": "evolver.merge.job",
    "Merging": "evolver.events",
    "Model": "evolver.models.protocol",
    "ModelError": "evolver.errors",
    "Mutator": "evolver.plugins",
    "NewerStoreError": "evolver.errors",
    "NoPoolError": "evolver.errors",
    "NotAStoreError": "evolver.errors",
    "Notice": "evolver.events",
    "OutputError": "evolver.errors",
    "PluginError": "evolver.errors",
    "Pool": "evolver.pool",
    "PoolError": "evolver.errors",
    "PoolRead": "evolver.events",
    "Prompt": "evolver.plugins",
    "Provider": "evolver.models.registry",
    "QueryError": "evolver.errors",
    "Request": "evolver.models.protocol",
    "Result": "evolver.result",
    "RowModelError": "evolver.errors",
    "Rows": "evolver.lineage",
    "RunBusyError": "evolver.errors",
    "RunMissingError": "evolver.errors",
    "RunModelError": "evolver.errors",
    "RunStarted": "evolver.events",
    "RunStats": "evolver.report.summary",
    "Sampling": "evolver.models.protocol",
    "SeedAnswered": "evolver.events",
    "SettingsError": "evolver.errors",
    "Setup": "evolver.models.registry",
    "StoppedError": "evolver.errors",
    "Stopping": "evolver.events",
    "StoreError": "evolver.errors",
    "StoreMissingError": "evolver.errors",
    "TransientModelError": "evolver.errors",
    "UnknownBatchError": "evolver.errors",
    "UnknownNameError": "evolver.errors",
    "UnknownQueryError": "evolver.errors",
    "Unusable": "evolver.plugins",
    "UsageError": "evolver.errors",
    "load_rules": "evolver.elimination.rules",
    "mutator": "evolver.plugins",
    "quote": "evolver.quoting",
    "rule": "evolver.elimination.verdict",
}

__all__ = [
    "AllFailedError",
    "AttemptEnded",
    "BatchMissingError",
    "BatchProgress",
    "BudgetError",
    "CallEnded",
    "CallRetried",
    "Candidate",
    "Completion",
    "CostWarning",
    "Drop",
    "Estimate",
    "Event",
    "Evolution",
    "EvolverError",
    "Lineage",
    "MergeReport",
    "Merging",
    "Model",
    "ModelError",
    "Mutator",
    "NewerStoreError",
    "NoPoolError",
    "NotAStoreError",
    "Notice",
    "OutputError",
    "PluginError",
    "Pool",
    "PoolError",
    "PoolRead",
    "Prompt",
    "Provider",
    "QueryError",
    "Request",
    "Result",
    "RowModelError",
    "Rows",
    "RunBusyError",
    "RunMissingError",
    "RunModelError",
    "RunStarted",
    "RunStats",
    "Sampling",
    "SeedAnswered",
    "SettingsError",
    "Setup",
    "StoppedError",
    "Stopping",
    "StoreError",
    "StoreMissingError",
    "TransientModelError",
    "UnknownBatchError",
    "UnknownNameError",
    "UnknownQueryError",
    "Unusable",
    "UsageError",
    "__version__",
    "load_rules",
    "merge",
    "mutator",
    "quote",
    "rule",
]


def __getattr__(name: str) -> Any:
    """Load a public name where it lives."""
    if name == "__version__":
        return import_module("evolver.version").VERSION
    if name == "merge":
        return import_module("evolver.merge")  # a package that can be called
    if name not in _HOMES:
        raise AttributeError(f"module 'evolver' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
