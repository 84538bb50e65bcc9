"""A file as a source of rows: its bytes, its format, and one sentence for every way in which reading can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evolver.pool.detect import detect
from evolver.pool.read import SHAPES
from evolver.pool.record import MalformedError, Record, TruncatedError
from evolver.pool.records import read_records
from evolver.pool.seeds import PoolReport
from evolver.pool.source import FileBytes, display_name, pool_error, stated


class FileRows:
    """The rows of a file; its digest is the SHA-256 of its bytes."""

    def __init__(self, path: str | Path) -> None:
        self.name = display_name(path)
        self._path = path
        self._bytes = FileBytes(path)

    def sha256(self) -> str:
        """Return the digest; bytes that a reading has passed are not read again.

        Raises:
            PoolError: The file cannot be read.
        """
        return self._bytes.sha256()

    def records(self, report: PoolReport) -> Iterator[Record]:
        """Yield the rows, and name the format in the report.

        Raises:
            PoolError: The file cannot be read, is damaged or cut, or has no known shape.
        """
        name = self.name
        try:
            with self._bytes.open() as stream, stated(self._path):
                format_ = detect(stream)
                if format_.kind == "empty":
                    raise pool_error(name, "is empty", "Name a file that holds instructions.")
                if format_.kind == "unknown":
                    raise pool_error(name, "has no known shape", SHAPES)
                report.format = format_.kind
                yield from read_records(stream, format_)
        except UnicodeDecodeError as error:
            what = f"is not UTF-8 text after row {report.read:,}"
            raise pool_error(name, what, "Convert it to UTF-8, or unpack it if it is compressed.") from error
        except TruncatedError as error:
            raise pool_error(name, f"is cut off {error}", "Fetch or write the whole file again.") from error
        except MalformedError as error:
            raise pool_error(name, str(error), f"Mend the file there, or write it again. {SHAPES}") from error
