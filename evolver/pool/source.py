"""Where a pool's bytes come from: a file, or a stream kept in a temporary file so it can be read twice."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evolver.errors import PoolError

STDIN = "-"

_spooled: dict[object, Path] = {}  # by stream or pipe: its bytes come only once, and are wanted twice


def pool_error(name: str, what: str, advice: str) -> PoolError:
    """Return the error that says ``what`` is the matter with pool ``name``, and what to do."""
    return PoolError(f"{name} {what}; nothing was written. {advice}")


def display_name(path: str | Path) -> str:
    """Return what messages call the pool."""
    return "standard input" if str(path) == STDIN else str(path)


@contextmanager
def open_pool(path: str | Path) -> Iterator[BinaryIO]:
    """Open the pool's bytes, seekable.

    Standard input (``-``) and pipes are copied to a temporary file first, once per process, so that a
    digest and several readings see the same bytes.

    Raises:
        PoolError: There is nothing at ``path`` that can be read.
    """
    with stated(path):
        stream = _regular_file(path).open("rb")
    with stream:
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
        shutil.copyfileobj(stream, file, 1 << 20)
    _spooled[key] = copy
    return copy
