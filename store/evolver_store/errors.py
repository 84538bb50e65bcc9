"""The base of every error that evolver states, and the errors of the store.

The base lives here because this is the lowest package that raises one; ``evolver.errors`` draws the
whole tree and is where users import it from.
"""

from __future__ import annotations

import copyreg
from typing import Any


class EvolverError(Exception):
    """Base class of everything evolver states: one sentence or two, exit code 1, never a traceback.

    The message says what happened, what was not done, and what to do next.
    """

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling whatever ``__init__`` looks like: errors cross process borders."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class StoreError(EvolverError):
    """The database cannot be used as asked."""


class StoreMissingError(StoreError):
    """A store was to be read, and there is none at that place."""


class NotAStoreError(StoreError):
    """The file or database exists, and it is not an evolver store."""


class NewerStoreError(StoreError):
    """The store was written by a newer evolver than this one."""


class RunMissingError(StoreError):
    """No run of that name is in the store."""


class RunBusyError(StoreError):
    """Another process is working on the run."""


class QueryError(StoreError):
    """A query by the user is wrong, too slow, or tries to write."""


class UnknownQueryError(QueryError):
    """No named query has the name that was given."""

    exit_code = 2


class BatchMissingError(StoreError):
    """No batch of that name is in the store, or several are."""
