"""Claims on SQLite stores: a locked file beside the store for each run that is being worked on."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from evolver_store.errors import RunBusyError, StoreError, StoreMissingError

if sys.platform != "win32":
    import fcntl

_TRIES, _PAUSE = 5, 0.02  # whoever only asks holds a lock for some microseconds
_MARK = "-claim-"


class FileClaim:
    """A lock ends with its process alone, so there is nothing to renew and nothing to lose."""

    def renew(self) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""


def claim_path(database: Path, run: str) -> Path:
    """Return the file whose lock is the claim on a run."""
    digest = blake2b(run.encode(errors="replace"), digest_size=8).hexdigest()
    return database.with_name(f"{database.name}{_MARK}{digest}")


@contextmanager
def file_claim(database: Path, run: str, busy: RunBusyError) -> Iterator[FileClaim]:
    """Hold the lock while the block works; the file goes again when it ends.

    Raises:
        RunBusyError: ``busy``; another process holds the lock.
        StoreError: The file cannot be made or locked, or is somebody else's.
    """
    if sys.platform == "win32":  # no flock there, so nothing keeps two processes apart
        yield FileClaim()
        return
    if not database.parent.is_dir():
        raise StoreMissingError(
            f"the folder {database.parent} does not exist; no store was made. Make it first."
        )
    path = claim_path(database, run)
    try:
        handle = _locked(path, database, busy)
    except OSError as error:
        raise StoreError(
            f"the run {run!r} cannot be claimed: {path} cannot be locked ({error.strerror}); nothing was started.\n"
            "Make room, give yourself the right to write in that folder, or remove the file if it is not evolver's."
        ) from error
    try:
        yield FileClaim()
    finally:
        with contextlib.suppress(
            OSError
        ):  # a folder that turned read-only keeps an empty file that claims nothing
            if is_still(path, handle):
                path.unlink()
        os.close(handle)


def is_locked(database: Path, run: str) -> bool:
    """Tell whether a process holds the lock of a run; works where nothing may be written."""
    return _is_locked(claim_path(database, run))


def is_any_other_locked(database: Path, run: str) -> bool:
    """Tell whether a process holds the lock of any run but this."""
    own = claim_path(database, run).name
    beside = (name for name in _names(database.parent) if name.startswith(f"{database.name}{_MARK}"))
    return any(_is_locked(database.with_name(name)) for name in beside if name != own)


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


if sys.platform == "win32":

    def _is_locked(path: Path) -> bool:
        return False

else:

    def _is_locked(path: Path) -> bool:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except (
            OSError
        ):  # not to be opened by this user: somebody made it, and nobody can tell whether he is there
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False

    def _locked(path: Path, database: Path, busy: RunBusyError) -> int:
        """Open the file and lock it; whoever had it before may have removed it in between, so look once more."""
        for _ in range(_TRIES):
            handle = opened_beside(path, database)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_still(path, handle):
                    return handle
            except BlockingIOError:
                time.sleep(_PAUSE)
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)
        raise busy

    def opened_beside(path: Path, database: Path) -> int:
        """Open a small file beside a store, made where there is none; whoever may write the store may use it.

        Raises:
            StoreError: It is no file, or somebody else's.
            OSError: It cannot be opened.
        """
        mode = _mode(database)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(path, flags, 0o600)
        try:
            state = os.fstat(handle)
            _refuse_strangers(path, state, database)
            if state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) != mode:
                os.fchmod(handle, mode)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _refuse_strangers(path: Path, state: os.stat_result, database: Path) -> None:
        if not stat.S_ISREG(state.st_mode) or not _is_trusted(state, database):
            raise StoreError(
                f"{path} belongs to somebody else or is no file; nothing was started.\n"
                "Remove it, or keep the store in a folder of your own."
            )

    def _mode(database: Path) -> int:
        """Whoever may write the store may claim its runs: a group that shares one included."""
        try:
            return stat.S_IMODE(database.stat().st_mode) & 0o660 | 0o600
        except OSError:
            return 0o600

    def _is_trusted(state: os.stat_result, database: Path) -> bool:
        """A claim is ours, of the store's owner, or of one of the group that shares the store."""
        if state.st_uid in (os.geteuid(), 0):
            return True
        try:
            store = database.stat()
        except OSError:
            return False
        shared = bool(store.st_mode & stat.S_IWGRP) and state.st_gid == store.st_gid
        return state.st_uid == store.st_uid or shared

    def is_still(path: Path, handle: int) -> bool:
        """Tell whether an open file is the one that has that name now; another may have removed it meanwhile."""
        try:
            return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(handle))
        except FileNotFoundError:
            return False
