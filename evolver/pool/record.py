"""A row as it was read, before anybody asks what it means, and how reading can end early."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """A row and its place in words; a row that could not be read is the error that says why."""

    where: str
    row: object


class TruncatedError(Exception):
    """The pool ends in the middle of a row or list; the message says after which. Never leaves the package."""


class MalformedError(Exception):
    """The pool breaks its own format where it cannot be read on. Never leaves the package."""
