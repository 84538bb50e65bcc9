"""Locks on keys of a SQLite store: one byte each of an empty file beside it, far beyond its end."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import sys
import time
from collections.abc import Collection
from pathlib import Path

from evolver_store.errors import StoreError
from evolver_store.file_claim import is_any_other_locked, is_still, opened_beside

ENDING = "-asking"
_ALL, _HERE, _FIRST_KEY = (
    0,
    1,
    16,
)  # bytes: in place of every key; shared by all who have the file open; the keys
_DIGITS = 15  # of a key: 60 bits, so that every byte is within reach of a signed 64-bit offset
_HELD = frozenset({errno.EAGAIN, errno.EACCES})
_TRIES, _PAUSE = 50, 0.02  # whoever removes the file holds it for some microseconds


class FileKeyLocks:
    """The locks of one run on a SQLite store; see :class:`evolver_store.key_locks.KeyLocks`.

    Where the file system knows no such locks, every key is free.

    Args:
        database: The store's file.
        run: The run's name.
    """

    def __init__(self, database: Path, run: str) -> None:
        self._database = database
        self._run = run
        self._path = database.with_name(f"{database.name}{ENDING}")
        self._handle: int | None = None

    def others(self) -> bool:
        """Look at the claims beside the store."""
        return is_any_other_locked(self._database, self._run)

    def take_all(self) -> bool:
        """Lock the byte that stands for every key."""
        return self._lock(fcntl.F_WRLCK, _ALL)

    def give_all(self) -> None:
        """Unlock it."""
        self._lock(fcntl.F_UNLCK, _ALL)

    def all_taken(self) -> bool:
        """Try for the lock, and let go of it."""
        if not self._lock(fcntl.F_WRLCK, _ALL):
            return True
        self.give_all()
        return False

    def take(self, keys: Collection[str]) -> set[str]:
        """Lock a byte for each key."""
        return {key for key in keys if self._lock(fcntl.F_WRLCK, _place(key))}

    def free(self, keys: Collection[str]) -> None:
        """Unlock them."""
        for key in keys:
            self._lock(fcntl.F_UNLCK, _place(key))

    def close(self) -> None:
        """Give everything back; who leaves last removes the file."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        with contextlib.suppress(OSError):  # a folder that turned read-only keeps an empty file
            if _locked(handle, fcntl.F_WRLCK, _HERE) and is_still(self._path, handle):
                self._path.unlink()
        os.close(handle)

    def _lock(self, kind: int, place: int) -> bool:
        try:
            return _locked(self._open(), kind, place)
        except OSError as error:
            raise StoreError(
                f"{self._path}, where runs of this store see which calls are in flight, cannot be used "
                f"({error.strerror}); the run stopped, and what was written is safe.\n"
                "Make room or give yourself the right to write in that folder, and run the same command again."
            ) from error

    def _open(self) -> int:
        """Open the file once; whoever leaves may remove it in the same moment, so look again."""
        for _ in range(_TRIES):
            if self._handle is not None:
                return self._handle
            handle = opened_beside(self._path, self._database)
            try:
                if _locked(handle, fcntl.F_RDLCK, _HERE) and is_still(self._path, handle):
                    self._handle, handle = handle, -1
                    continue
            finally:
                if handle >= 0:
                    os.close(handle)
            time.sleep(_PAUSE)
        raise BlockingIOError(errno.EAGAIN, "another process holds it")


def _place(key: str) -> int:
    return _FIRST_KEY + int(key[:_DIGITS], 16)


def _locked(handle: int, kind: int, place: int) -> bool:
    """Lock or unlock one byte, without waiting; false where another has it.

    Raises:
        OSError: The system refuses for another reason than that there are no locks.
    """
    try:
        if sys.platform == "linux":
            # struct flock: kind, whence (the file's beginning), start, length, and no process: the lock is the file's
            wish = struct.pack("hhqqi0q", kind, os.SEEK_SET, place, 1, 0)
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, wish)
        else:
            how = {fcntl.F_WRLCK: fcntl.LOCK_EX, fcntl.F_RDLCK: fcntl.LOCK_SH, fcntl.F_UNLCK: fcntl.LOCK_UN}
            fcntl.lockf(handle, how[kind] | fcntl.LOCK_NB, 1, place, os.SEEK_SET)
    except OSError as error:
        if error.errno in _HELD:
            return False
        if error.errno not in (errno.ENOLCK, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    return True
