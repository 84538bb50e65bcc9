"""Whether the replies to the mutators' prompts can be read at all."""

from __future__ import annotations

from collections import Counter

from evolver.errors import PluginError

FIRST = 20
"""Replies of which at least one must be readable: if none is, the mutator is wrong and not the model."""


class Replies:
    """Counts, by mutator, replies that its ``parse`` could use and those it could not."""

    def __init__(self) -> None:
        self._any_read = False
        self._unread: Counter[str] = Counter()

    def readable(self) -> None:
        """A reply could be used."""
        self._any_read = True

    def unreadable(self, mutator: str, error: ValueError) -> None:
        """A reply could not be used.

        Raises:
            PluginError: None of the first could.
        """
        if self._any_read:
            return
        self._unread[mutator] += 1
        if self._unread.total() >= FIRST:
            raise PluginError(
                f"none of the first {FIRST} replies could be used by {_names(self._unread)}, the last time: {error}; "
                "the run stopped, and the replies are stored. Mend parse, and run the same command again."
            ) from error


def _names(counts: Counter[str]) -> str:
    return ", ".join(f"the mutator {name!r}" for name in counts)
