"""A row as it was read, before anybody asks what it means, and how reading can end early."""

from __future__ import annotations

from typing import NamedTuple

MAX_ROW = 1 << 23
"""Most bytes (8 MiB) of a row: of its line, its JSON, a field of its table. Decoded, JSON may take 20 times that."""


NOT_JSON = "not JSON"


class BadRowError(Exception):
    """A row that can be no seed; the message is the reason. Never leaves this package."""


class Record(NamedTuple):
    """A row and its place in words; a row that could not be read is the error that says why."""

    where: str
    row: object


class TruncatedError(Exception):
    """The pool ends in the middle of a row or list; the message says after which. Never leaves the package."""


class MalformedError(Exception):
    """The pool breaks its own format where it cannot be read on. Never leaves the package."""


class NoPoolError(Exception):
    """The file is something else altogether; the message says what, ``advice`` what to do. Never leaves the package."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.advice = advice


class EncodingError(Exception):
    """The text is not in its encoding from some byte on, and maybe in another. Never leaves the package."""

    def __init__(self, encoding: str, found: str) -> None:
        super().__init__(f"is not {encoding.upper()} text")
        self.found = found
