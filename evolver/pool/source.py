"""Where a pool's bytes come from: a file, or a stream kept in a temporary file so it can be read twice."""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from evolver.errors import PoolError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STDIN = "-"
HUB = "hf:"
CHUNK_BYTES = 1 << 20

_spooled: dict[object, Path] = {}  # by stream or pipe: its bytes come only once, and are wanted twice


def pool_error(name: str, what: str, advice: str) -> PoolError:
    """Return the error that says ``what`` is the matter with pool ``name``, and what to do."""
    return PoolError(f"{name} {what}; nothing was written. {advice}")


def display_name(path: str | Path) -> str:
    """Return what messages call the pool."""
    return "standard input" if str(path) == STDIN else str(path)


class FileBytes:
    """The bytes of one file, and their SHA-256, which is computed as far as they are read anyway.

    Standard input (``-``) and pipes are copied to a temporary file first, once per process, so that a digest and
    several readings see the same bytes.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._seen: tuple[int, ...] | None = None

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the bytes, seekable; whatever is read for the first time, and in order, enters the digest.

        Raises:
            PoolError: There is nothing that can be read, or the file has changed since it was opened first.
        """
        with stated(self._path):
            raw = io.FileIO(_regular_file(self._path))
        with raw:
            self._check_unchanged(raw)
            with io.BufferedReader(_Tap(raw, self), CHUNK_BYTES) as stream:
                yield stream

    def sha256(self) -> str:
        """Return the digest of all bytes in hexadecimal; only those that nobody has read yet are read for it.

        Raises:
            PoolError: As :meth:`open`.
        """
        with self.open() as stream, stated(self._path):
            stream.seek(self._hashed)
            while stream.read(CHUNK_BYTES):
                pass
        return self._hash.hexdigest()

    def take(self, place: int, chunk: memoryview) -> None:
        """Take in bytes read at ``place``; those known already, and those behind a gap, are passed over."""
        if place <= self._hashed < place + len(chunk):
            self._hash.update(chunk[self._hashed - place :])
            self._hashed = place + len(chunk)

    def _check_unchanged(self, raw: io.FileIO) -> None:
        found = os.fstat(raw.fileno())
        seen = (found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev)
        if self._seen not in (None, seen):
            name = display_name(self._path)
            raise pool_error(name, "was changed while it was read", "Let it lie still, then run this again.")
        self._seen = seen


class _Tap(io.RawIOBase):
    """A file whose bytes pass by the digest."""

    def __init__(self, raw: io.FileIO, digest: FileBytes) -> None:
        self._raw = raw
        self._digest = digest

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        place = self._raw.tell()
        count = self._raw.readinto(buffer) or 0
        self._digest.take(place, memoryview(buffer).cast("B")[:count])
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()


@contextmanager
def open_pool(path: str | Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file, seekable, as :class:`FileBytes` does.

    Raises:
        PoolError: There is nothing at ``path`` that can be read.
    """
    with FileBytes(path).open() as stream:
        yield stream


@contextmanager
def stated(path: str | Path) -> Iterator[None]:
    """Turn an error of the operating system into the sentence a user needs."""
    name = display_name(path)
    try:
        yield
    except FileNotFoundError as error:
        raise pool_error(name, "does not exist", "Check its name and the folder you are in.") from error
    except IsADirectoryError as error:
        raise pool_error(name, "is a directory", "Name one of the files in it.") from error
    except PermissionError as error:
        raise pool_error(name, "may not be read", "Give yourself the right to read it.") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise pool_error(name, f"cannot be read ({why})", "Check the disk, or copy the file.") from error


def _regular_file(path: str | Path) -> Path:
    if str(path) == STDIN:
        if sys.stdin is None:  # closed by the caller
            raise FileNotFoundError(STDIN)
        stream = sys.stdin.buffer
        return _spooled.get(stream) or _spool(stream, stream)
    try:
        mode = Path(path).stat().st_mode
    except ValueError as error:  # a path that holds a NUL byte
        raise FileNotFoundError(str(path)) from error
    if not stat.S_ISFIFO(mode):
        return Path(path)
    key = os.fspath(path)
    if key not in _spooled:
        with Path(path).open("rb") as stream:
            _spool(key, stream)
    return _spooled[key]


def _spool(key: object, stream: BinaryIO) -> Path:
    handle, name = tempfile.mkstemp(prefix="evolver-pool-")
    copy = Path(name)
    atexit.register(copy.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(stream, file, CHUNK_BYTES)
    _spooled[key] = copy
    return copy
