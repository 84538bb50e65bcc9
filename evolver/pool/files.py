"""A file as a source of rows: its bytes, its format, and one sentence for every way in which reading can fail."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evolver.errors import PoolError
from evolver.pool.columns import Columns
from evolver.pool.detect import HEAD_BYTES, SHAPES, detect
from evolver.pool.foreign import refuse_binary
from evolver.pool.record import EncodingError, MalformedError, NoPoolError, Record, TruncatedError
from evolver.pool.records import read_records
from evolver.pool.seeds import PoolReport
from evolver.pool.source import CHUNK_BYTES, FileBytes, display_name, pool_error, stated
from evolver.pool.unpack import Unpacked, packed_as
from evolver.pool.utf8 import Utf8

_ARROW = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"\xff\xff\xff\xff": "Arrow stream"}
_PACKED_ENDINGS = frozenset({".gz", ".zst", ".xz", ".bz2", ".zstd"})


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

    def records(self, report: PoolReport, columns: Columns) -> Iterator[Record]:
        """Yield the rows, and name the format in the report.

        Raises:
            PoolError: The file cannot be read, is damaged or cut, is no pool, or has no known shape.
        """
        with stated(self._path), told(self.name, report), self._bytes.open() as stream:
            yield from read_stream(stream, suffix_of(self._path), report, columns)


@contextmanager
def told(name: str, report: PoolReport) -> Iterator[None]:
    """Turn every way in which rows can fail to be read into the sentence a user needs."""
    try:
        yield
    except NoPoolError as error:
        raise pool_error(name, str(error), error.advice) from error
    except EncodingError as error:
        raise _wrong_encoding(name, error, report.read) from error
    except TruncatedError as error:
        raise pool_error(name, f"is cut off {error}", "Fetch or write the whole file again.") from error
    except MalformedError as error:
        raise pool_error(name, str(error), f"Mend the file there, or write it again. {SHAPES}") from error


def read_stream(stream: BinaryIO, suffix: str, report: PoolReport, columns: Columns) -> Iterator[Record]:
    """Yield the rows of seekable bytes: packed or not, of any format and encoding.

    Raises:
        NoPoolError: They are no pool.
        EncodingError: They are in no encoding that is read.
        TruncatedError: They were cut.
        MalformedError: They cannot be read on.
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    packed = packed_as(head)
    if not packed:
        yield from _read_unpacked(stream, head, suffix, report, columns)
        return
    report.packing = packed
    with io.BufferedReader(Unpacked(stream, packed), CHUNK_BYTES) as unpacked:
        head = unpacked.read(HEAD_BYTES)
        if packed_as(head):
            raise NoPoolError("is packed twice", "Unpack it once, and name what comes out.")
        if _arrow_kind(head):
            # The end of such a file says where its rows are, so it has to lie somewhere.
            with tempfile.TemporaryFile(prefix="evolver-pool-") as copy:
                copy.write(head)
                shutil.copyfileobj(unpacked, copy, CHUNK_BYTES)
                copy.seek(0)
                yield from _read_unpacked(copy, head, suffix, report, columns)
        else:
            yield from _read_unpacked(_After(head, unpacked), head, suffix, report, columns)


def _read_unpacked(
    stream: BinaryIO | io.RawIOBase, head: bytes, suffix: str, report: PoolReport, columns: Columns
) -> Iterator[Record]:
    kind = _arrow_kind(head)
    if kind:
        # pyarrow takes a third of a second to import, and only these formats need it
        from evolver.pool.arrow import read_arrow

        report.format = kind
        yield from read_arrow(stream, kind)
        return
    refuse_binary(head)
    utf8 = Utf8(stream)
    text = utf8.peek(HEAD_BYTES)
    format_ = detect(text, suffix=suffix, columns=columns)
    if format_.kind == "empty":
        raise NoPoolError("is empty", "Name a file that holds instructions.")
    report.format = format_.kind
    with io.BufferedReader(utf8, HEAD_BYTES) as lines:
        for record in read_records(lines, format_):
            report.encoding = utf8.encoding
            yield record


def _arrow_kind(head: bytes) -> str:
    return next((kind for magic, kind in _ARROW.items() if head.startswith(magic)), "")


def suffix_of(path: str | Path) -> str:
    """Return the ending of a file's name, in lower case, that of its packing left out."""
    endings = [ending.lower() for ending in Path(path).suffixes]
    return next((ending for ending in reversed(endings) if ending not in _PACKED_ENDINGS), "")


def _wrong_encoding(name: str, error: EncodingError, read: int) -> PoolError:
    what = f"{error} after row {read:,}"
    if not error.found:
        return pool_error(
            name,
            what,
            "Write it again in UTF-8; it may have been cut or joined in the middle of a character.",
        )
    return pool_error(
        name,
        f"{what}; it looks like {error.found}",
        f"If it is, convert it: iconv -f {error.found.upper()} -t UTF-8 FILE.",
    )


class _After(io.RawIOBase):
    """A stream whose head has been read already, from its beginning."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """Return the head at the first call, then what follows."""
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(size)
