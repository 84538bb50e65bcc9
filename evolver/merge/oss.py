"""OSS-Instruct files as a source: Magicoder's rows (arXiv:2312.02120), starcoder2-self-align's, or any pool's.

A file is read once, by the pool's reader, and its texts are kept in a temporary file without a name, because rows
are wanted again in another order and a Parquet file or JSON list has no way back to one of them.
"""

from __future__ import annotations

import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from evolver.errors import PoolError
from evolver.merge.formats import Row
from evolver.merge.job import Kind
from evolver.merge.reader import Epochs, Texts
from evolver.pool import PoolReport, read_pool
from evolver_store.schema import place, row_id

LEAD = "Write a solution to the following coding problem:"
"""Stands before a problem, which by itself may be no more than a description."""


class OssReader:
    """The answered rows of a file; close it when done.

    A row's id is that of a seed in run 0. ``report`` is the pool reader's account: rows skipped and why, and the
    rows that are left out because nothing answers them.

    Raises:
        PoolError: The file cannot be read, is cut or damaged, or holds no row with a response.
        OSError: There is no room for the temporary file.
    """

    kind: Kind = "oss"

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.report = PoolReport()
        self._ordinals = array("q")
        self._ends = array("q", [0])  # of instruction, response, instruction, …
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="evolver-oss-")  # noqa: SIM115 - closed by close()
        try:
            self._read(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the temporary file back."""
        self._file.close()

    @property
    def without_response(self) -> int:
        """How many rows are left out because nothing answers them."""
        return self.report.unanswered.total()

    def ids(self, epochs: Epochs) -> Iterator[tuple[int, bool]]:
        """Yield (id, True): rows without a response are not on the reader, and no epoch is any of theirs."""
        return ((row_id(0, ordinal), True) for ordinal in self._ordinals)

    def texts(self) -> Iterator[Texts]:
        """Yield every row, in the order of the file."""
        for index, ordinal in enumerate(self._ordinals):
            yield Texts(row_id(0, ordinal), None, *self._texts(index))

    def rows(self, ids: Sequence[int], *, columns: bool) -> Iterator[Row]:
        """Yield the rows of these ids; provenance calls them by their place in the file."""
        for id_ in ids:
            ordinal = place(id_).ordinal
            index = bisect_left(self._ordinals, ordinal)
            yield Row(id_, id_, 0, None, *self._texts(index), self.name, "oss")

    def _read(self, path: Path) -> None:
        for seed in read_pool(path, report=self.report):
            if seed.response is None:
                continue
            instruction = seed.instruction
            if self.report.format.endswith("of problem and solution rows"):
                instruction = f"{LEAD}\n{instruction}"
            self._ordinals.append(seed.ordinal)
            for text in (instruction, seed.response):
                self._ends.append(self._ends[-1] + self._file.write(text.encode()))
        if not self._ordinals:
            raise PoolError(
                f"{path} holds no row with a response; nothing was written. An OSS-Instruct file has rows of "
                "{problem, solution} or {instruction, response}."
            )

    def _texts(self, index: int) -> tuple[str, str]:
        start, middle, end = self._ends[2 * index : 2 * index + 3]
        self._file.seek(start)
        whole = self._file.read(end - start)
        return whole[: middle - start].decode(), whole[middle - start :].decode()
