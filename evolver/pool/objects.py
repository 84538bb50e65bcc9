"""Rows that a Python program holds: an iterable of dicts or texts, a DataFrame, an Arrow table, a ``Dataset``."""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from evolver.errors import PoolError
from evolver.pool.columns import Columns
from evolver.pool.plain import plain
from evolver.pool.record import NOT_JSON, BadRowError, Record
from evolver.pool.seeds import PoolReport
from evolver.pool.source import pool_error

_ROWS_AT_ONCE = 1024


class ObjectRows:
    """The rows of an object, kept in a temporary file as they are asked for, so that a generator is asked once.

    The digest is the SHA-256 of the rows in a normal form: JSON with sorted keys, missing values left out. Two objects
    of different kinds that hold the same rows have the same.

    Raises:
        PoolError: The object is none that rows can be read from.
    """

    def __init__(self, rows: object, name: str | None = None) -> None:
        self.name = name or f"python:{type(rows).__name__}"
        self._rest = _rows_of(rows, self.name)
        self._hash = hashlib.sha256()
        self._spool: BinaryIO = tempfile.TemporaryFile(prefix="evolver-pool-")  # noqa: SIM115 - kept open
        self._size = 0
        weakref.finalize(self, self._spool.close)

    def sha256(self) -> str:
        """Return the digest of the rows that have been asked for; read to the end first."""
        return self._hash.hexdigest()

    def records(self, report: PoolReport, columns: Columns) -> Iterator[Record]:
        """Yield the rows: those that came before from the temporary file, the others from the object.

        Raises:
            PoolError: The object's own iterator failed.
        """
        report.format = self.name.removeprefix("python:")
        place, number = 0, 0
        while True:
            if place < self._size:
                self._spool.seek(place)
                line = self._spool.readline()
            else:
                line = self._pull(number)
                if not line:
                    return
            place += len(line)
            number += 1
            row: object = json.loads(line)
            yield Record(f"row {number}", BadRowError(NOT_JSON) if line == _UNREADABLE else row)

    def _pull(self, number: int) -> bytes:
        """Take the next row from the object into the temporary file; empty at its end."""
        try:
            row = next(self._rest, _END)
        except PoolError:
            raise
        except Exception as error:
            why = str(error).strip().partition("\n")[0] or type(error).__name__
            raise pool_error(
                self.name, f"failed after row {number:,} ({why})", "Mend what makes it."
            ) from error
        if row is _END:
            return b""
        line = _encoded(row)
        self._spool.seek(self._size)
        self._spool.write(line)
        self._hash.update(line)
        self._size += len(line)
        return line


_END = object()
_UNREADABLE = b'{"unreadable": null}\n'


def _encoded(row: object) -> bytes:
    """Return a row as a line of JSON; one that is nested too deeply, or in itself, as a mark of that."""
    try:
        value = {"instruction": row} if isinstance(row, str) else plain(row)
        return json.dumps(value, sort_keys=True).encode() + b"\n"
    except (RecursionError, ValueError):
        return _UNREADABLE


def _rows_of(rows: Any, name: str) -> Iterator[object]:
    if hasattr(rows, "iloc") and hasattr(rows, "to_dict"):  # pandas
        return _rows_of_pandas(rows)
    if hasattr(rows, "iter_rows"):  # polars
        return iter(rows.iter_rows(named=True))
    if hasattr(rows, "to_batches"):  # Arrow
        return (row for batch in rows.to_batches(_ROWS_AT_ONCE) for row in batch.to_pylist())
    if isinstance(rows, Mapping):
        if all(hasattr(one, "features") for one in rows.values()) and rows:
            splits = ", ".join(map(str, rows))
            raise pool_error(
                name, f"holds several splits ({splits})", f"Give one of them: pool[{next(iter(rows))!r}]."
            )
        raise pool_error(name, "is one mapping, not rows", "Give a list of rows: [row, …].")
    if isinstance(rows, bytes | bytearray) or not isinstance(rows, Iterable):
        raise pool_error(
            name, "is nothing that rows can be read from", "Give a path, or an iterable of dicts or texts."
        )
    return iter(rows)


def _rows_of_pandas(frame: Any) -> Iterator[object]:
    if not hasattr(frame, "columns"):  # a Series of texts
        yield from frame
        return
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        yield from frame.iloc[start : start + _ROWS_AT_ONCE].to_dict("records")
