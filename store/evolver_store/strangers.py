"""What another user may have put under a name that we use, in a folder that others may write to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from evolver_store.errors import StoreError

_BESIDE = ("-wal", "-shm", "-journal")


def refuse_strangers_files(database: Path, *, to_write: bool) -> None:
    """Refuse a store that is a stranger's trap: his link, his pipe, his file, or a log of his beside it.

    SQLite takes what it finds beside a database for its own: a log that somebody else wrote would become rows.

    Args:
        database: The file.
        to_write: Whether it is to be written to; a store that another user made may be read.

    Raises:
        StoreError: It is one; nothing was opened.
    """
    trap = strangers_trap(database)
    if trap is not None and (to_write or not trap.startswith("belongs")):
        raise _refused(database, trap)
    real = Path(os.path.realpath(database))
    owner = _owner(real)
    for ending in _BESIDE:
        beside = real.with_name(real.name + ending)
        if (trap := strangers_trap(beside, trusted=owner)) is not None:
            raise _refused(beside, trap)


def strangers_trap(path: Path, *, trusted: int | None = None) -> str | None:
    """Tell what is wrong with a file that is about to be opened; ``None`` if nothing is, or nothing is there.

    In a folder that others may write to, a link of another user leads where he likes. In one that everybody may write
    to, a file of another user is his to read, and a second name of a file may be that of any file of ours.

    Args:
        path: The file.
        trusted: A user whose files are as good as one's own, root's and those of the folder's owner.
    """
    if is_strangers_link(path):
        return "is a link that another user made in a folder that others may write to"
    try:
        state, folder = path.lstat(), path.parent.stat()
    except OSError:
        return None
    if not folder.st_mode & stat.S_IWOTH or stat.S_ISLNK(state.st_mode):
        return None
    if state.st_uid not in {_user(), 0, folder.st_uid, trusted}:
        return "belongs to another user, in a folder that everybody may write to"
    if stat.S_ISREG(state.st_mode) and state.st_nlink > 1:
        return "has another name besides, in a folder that everybody may write to"
    return None


def is_strangers_link(path: Path) -> bool:
    """Tell whether a path is a link of another user's in a folder that others may write to; root's are trusted."""
    try:
        link, folder = path.lstat(), path.parent.stat()
    except OSError:
        return False
    if not stat.S_ISLNK(link.st_mode) or not folder.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    return link.st_uid not in {_user(), 0, folder.st_uid}


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:
        return None


def _refused(path: Path, what: str) -> StoreError:
    return StoreError(
        f"{path} {what}; nothing was opened.\n"
        "Name another file with --store, or keep the store in a folder of your own."
    )


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0
