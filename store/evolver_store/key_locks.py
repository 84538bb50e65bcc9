"""Which call is being asked for now, told among all runs of a store: a lock for each key that is in flight.

Two runs over one store may need the same call at the same moment; whoever holds the lock of its key asks, the other
waits for the answer. A run that is alone need not lock keys at all: it holds one lock in place of all of them, until
it sees that another has come. Every lock ends with its process, however that ends.

On Linux two runs of one process are told apart as well (locks of open file descriptions). On other systems with
``fcntl`` they are not, and on Windows nobody is: there two runs may pay for what both have in flight.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Protocol

from sqlalchemy import URL

from evolver_store.claim import store_file


class KeyLocks(Protocol):
    """The locks of one run; every method may wait for a server or a folder, so use it from one thread of its own.

    Each raises ``StoreError`` where the locks cannot be had.
    """

    def others(self) -> bool:
        """Tell whether a process works on another run of the store now."""

    def take_all(self) -> bool:
        """Take the lock that stands for every key; return whether this run has it."""

    def give_all(self) -> None:
        """Give it back."""

    def all_taken(self) -> bool:
        """Tell whether another run has it."""

    def take(self, keys: Collection[str]) -> set[str]:
        """Lock keys; return those that are this run's now, which are all but those that another has."""

    def free(self, keys: Collection[str]) -> None:
        """Give keys back, those that were never taken included."""

    def close(self) -> None:
        """Give everything back."""


class NoKeyLocks:
    """For a store that nobody else works on, and where there are no locks."""

    def others(self) -> bool:
        """Nobody is there."""
        return False

    def take_all(self) -> bool:
        """It is free."""
        return True

    def give_all(self) -> None:
        """Do nothing."""

    def all_taken(self) -> bool:
        """Nobody has it."""
        return False

    def take(self, keys: Collection[str]) -> set[str]:
        """All are free."""
        return set(keys)

    def free(self, keys: Collection[str]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def key_locks(url: URL, run: str) -> KeyLocks:
    """Return the locks of a run; nothing is opened yet.

    Args:
        url: The store.
        run: The name of a run that this process has claimed.
    """
    if url.get_backend_name() != "sqlite":
        from evolver_store.server_key_locks import ServerKeyLocks

        return ServerKeyLocks(url, run)
    if sys.platform == "win32":
        return NoKeyLocks()
    from evolver_store.file_key_locks import FileKeyLocks

    return FileKeyLocks(store_file(url), run)
