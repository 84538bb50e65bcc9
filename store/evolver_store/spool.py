"""Rows on their way from a database to whoever reads them slowly: in memory while they are few, else in a file."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

_IN_MEMORY = 8 << 20  # bytes


class Spool(AbstractContextManager["Spool"]):
    """Takes all rows, then gives them back in their order; its file is gone when it is closed."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self.rows = 0

    @property
    def size(self) -> int:
        """Bytes that the rows take."""
        return self._file.tell()

    def add(self, row: tuple[Any, ...]) -> None:
        """Take one row."""
        pickle.dump(row, self._file, pickle.HIGHEST_PROTOCOL)
        self.rows += 1

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Give the rows back, once."""
        self._file.seek(0)
        for _ in range(self.rows):
            yield pickle.load(self._file)  # noqa: S301 - written above, into a file that has no name

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the file go."""
        self._file.close()
