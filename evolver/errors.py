"""Every error evolver states, in one tree.

::

    EvolverError                     one message, exit code 1 (3 where work is left over by choice)
    ├── SettingsError                a flag, an EVOLVE_* variable or evolve.toml holds a value that cannot be
    │   └── UsageError               what cannot be left out is missing; exit code 2
    │       └── NoPoolError          nobody named a pool
    ├── PoolError                    the pool cannot be read
    ├── PluginError                  a mutator, rule or model of the user's cannot be loaded, or failed
    │   └── UnknownNameError         no mutator, preset or rule has that name; exit code 2
    ├── OutputError                  the dataset cannot be written
    ├── ModelError                   a model did not answer
    │   ├── TransientModelError      worth another try: 429, 5xx, a timeout, a dropped connection
    │   ├── RowModelError            this request will never be answered; the run goes on
    │   └── RunModelError            no request will be answered: bad key, unknown model, no credit
    │       └── UnknownBatchError    the provider has no batch of that name for this key
    ├── StoppedError                 somebody asked the run to stop; exit code 130, resumable
    ├── BudgetError                  the spend reached --max-cost; exit code 3, resumable
    ├── AllFailedError               every attempt of a session failed
    └── StoreError                   see evolver_store.errors
        ├── StoreMissingError
        ├── NotAStoreError
        ├── NewerStoreError
        ├── RunMissingError
        ├── RunBusyError
        ├── BatchMissingError
        └── QueryError
            └── UnknownQueryError    exit code 2

Whether a call is tried again is decided by these types, never by the text of a message.
"""

from __future__ import annotations

from typing import Any, Self

from evolver_store.errors import (
    BatchMissingError,
    EvolverError,
    NewerStoreError,
    NotAStoreError,
    QueryError,
    RunBusyError,
    RunMissingError,
    StoreError,
    StoreMissingError,
    UnknownQueryError,
)

__all__ = [
    "AllFailedError",
    "BatchMissingError",
    "BudgetError",
    "EvolverError",
    "ModelError",
    "NewerStoreError",
    "NoPoolError",
    "NotAStoreError",
    "OutputError",
    "PluginError",
    "PoolError",
    "QueryError",
    "RowModelError",
    "RunBusyError",
    "RunMissingError",
    "RunModelError",
    "SettingsError",
    "StoppedError",
    "StoreError",
    "StoreMissingError",
    "TransientModelError",
    "UnknownBatchError",
    "UnknownNameError",
    "UnknownQueryError",
    "UsageError",
]


class SettingsError(EvolverError):
    """A setting has a value that cannot be, or two settings exclude each other."""


class UsageError(SettingsError):
    """A setting was not given or is written as it cannot be; nothing was started."""

    exit_code = 2


class NoPoolError(UsageError):
    """Neither option, variable nor file names a pool; nothing was started."""


class PoolError(EvolverError):
    """The pool cannot be read; nothing was written."""


class PluginError(EvolverError):
    """A mutator, rule or model of the user's cannot be loaded, or raised."""


class OutputError(EvolverError):
    """The dataset cannot be written; no partial file is left."""


class UnknownNameError(PluginError):
    """No mutator, preset or rule has the name that was given; nothing was run."""

    exit_code = 2


class ModelError(EvolverError):
    """A model did not answer, or withheld what it answered.

    ``prompt_tokens`` and ``completion_tokens`` are what the provider counted all the same, and will be paid.
    """

    prompt_tokens = 0
    completion_tokens = 0

    def after(self, prompt_tokens: int, completion_tokens: int) -> Self:
        """Return the error with the tokens that were spent on it."""
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens
        return self


class TransientModelError(ModelError):
    """Worth another try.

    Args:
        message: What the provider said, in one sentence.
        kind: Short name of the class of failure, such as ``rate_limited`` or ``server_error``.
        retry_after: Seconds the provider asks to wait, if it said so.
        overload: Whether the provider is short of capacity (429, 503, 529): fewer calls in flight help.
    """

    def __init__(
        self, message: str, kind: str, *, retry_after: float | None = None, overload: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.overload = overload

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from both positional arguments; the rest comes back with the attributes."""
        return type(self), (self.args[0], self.kind), self.__dict__


class RowModelError(ModelError):
    """This request will never be answered; the attempt is stored as ``failed`` and the run goes on.

    Args:
        message: What the provider said, in one sentence.
        kind: Short name of the class of failure, stored as the attempt's ``rule``.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from both positional arguments."""
        return type(self), (self.args[0], self.kind), self.__dict__


class RunModelError(ModelError):
    """No request will be answered until somebody changes something; the run stops, resumable."""


class BudgetError(EvolverError):
    """The spend reached the budget; what is paid for is stored and the same command goes on.

    ``result`` is the :class:`evolver.Result` of what there is by then, its dataset written; ``None`` without any.
    """

    exit_code = 3
    result: Any = None


class AllFailedError(EvolverError):
    """Every attempt that a session made failed; ``result`` is the :class:`evolver.Result` of the run all the same."""

    result: Any = None


class UnknownBatchError(RunModelError):
    """The provider has no batch of that name for this key; another key's may exist, or it was removed."""


class StoppedError(EvolverError):
    """Somebody asked the run to stop; what is paid for is stored and the same command goes on."""

    exit_code = 130
