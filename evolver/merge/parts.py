"""What is written beside a dataset until it is whole: hidden, its owner's alone, and locked by whoever writes it.

By the lock the next merge can tell a part that a killed process has left from one that is being written.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PART = re.compile(r"\.evolve-[0-9a-f]{12}\.part")


@dataclass(frozen=True, slots=True)
class Part:
    """A file or folder that is being written."""

    path: Path


def mode_of_new_files() -> int:
    """Return the mode that a new file of this process has: what its umask leaves."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def new_part(folder: Path) -> Iterator[Part]:
    """Make a hidden file in ``folder``; it is gone afterwards unless it was renamed.

    Raises:
        OSError: It cannot be made.
    """
    path = folder / f".evolve-{secrets.token_hex(6)}.part"
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    handle = os.open(path, flags, 0o600)
    try:
        lock(handle)
        yield Part(path)
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


def lock(handle: int) -> bool:
    """Say that a part is being written; return whether nobody else has said so."""
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def tidy(folder: Path) -> None:
    """Remove parts of ours that nobody writes any more; whatever is in doubt stays."""
    for path in _parts(folder):
        with suppress(OSError):
            _remove_if_dead(path)


def _parts(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder) if _PART.fullmatch(name)]
    except OSError:
        return []


def _remove_if_dead(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        state = os.fstat(handle)
        ours = not hasattr(os, "geteuid") or state.st_uid == os.geteuid()
        if not ours or not lock(handle):
            return
        if stat.S_ISDIR(state.st_mode):
            shutil.rmtree(path)
        elif stat.S_ISREG(state.st_mode):
            path.unlink()
    finally:
        os.close(handle)
