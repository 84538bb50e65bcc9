"""Which settings files their user trusts: by absolute path and digest of what they say.

A file that lies in a folder may come from anybody: a clone, an archive, a shared machine. What it says counts, and is
told of, but for what sends, executes, answers in its user's place or leaves the folder; that counts once the user ran
``evolve trust`` on the file as it stands. A file named by ``--config`` is trusted for being named.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from evolver.errors import SettingsError

_READABLE_BY_OWNER = 0o600
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Trusted:
    """A file that its user trusts as long as its digest is this."""

    path: str
    sha256: str


def config_folder() -> Path:
    """Return the folder of the user's own settings: ``$XDG_CONFIG_HOME/evolver``, by default ``~/.config/evolver``."""
    named = os.environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME", "")
    if os.path.isabs(named):
        return Path(named) / "evolver"
    try:
        return Path.home() / ".config" / "evolver"
    except RuntimeError as error:
        raise SettingsError(
            "there is no home folder to look for trusted files in; set XDG_CONFIG_HOME."
        ) from error


def digest_of(content: bytes) -> str:
    """Return the digest of a file's bytes."""
    return sha256(content).hexdigest()


def is_trusted(path: Path, content: bytes) -> bool:
    """Tell whether the user trusts this file with these bytes."""
    return Trusted(str(path.resolve()), digest_of(content)) in trusted_files()


def trusted_files() -> list[Trusted]:
    """Return the files that are trusted, by path.

    Raises:
        SettingsError: The list cannot be read, or others could have written it.
    """
    file = _list()
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        foreign = hasattr(os, "geteuid") and status.st_uid not in (os.geteuid(), 0)
        if (
            not stat.S_ISREG(status.st_mode)
            or foreign
            or (os.name != "nt" and status.st_mode & _WRITABLE_BY_OTHERS)
        ):
            raise _unreadable(file, "others may have written it")
        content = stream.read()
    try:
        return [Trusted(str(path), str(digest)) for path, digest in sorted(json.loads(content).items())]
    except (ValueError, AttributeError) as error:
        raise _unreadable(file, "it is no JSON object") from error


def trust(path: Path, content: bytes) -> Trusted:
    """Trust a file as it stands, in place of what was trusted under its path."""
    made = Trusted(str(path.resolve()), digest_of(content))
    _write([made, *(one for one in trusted_files() if one.path != made.path)])
    return made


def distrust(path: Path) -> bool:
    """Forget a file; tell whether it was trusted."""
    gone = str(path.resolve())
    known = trusted_files()
    kept = [one for one in known if one.path not in (gone, str(path))]
    if len(kept) < len(known):
        _write(kept)
    return len(kept) < len(known)


def _list() -> Path:
    return config_folder() / "trusted.json"


def _write(trusted: list[Trusted]) -> None:
    """Replace the list in one step, so that no reader sees half of it; nobody else may read or write it."""
    file = _list()
    part = file.with_name(f".{file.name}.{uuid4().hex}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READABLE_BY_OWNER)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({one.path: one.sha256 for one in trusted}, stream, indent=1, sort_keys=True)
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SettingsError(
            f"{file} cannot be written ({error.strerror}); nothing is trusted that was not before. "
            "Make that folder writable, or give the values on the command line."
        ) from error


def _unreadable(file: Path, why: str) -> SettingsError:
    return SettingsError(
        f"{file}, the list of trusted files, cannot be taken ({why}); nothing was done. Remove it and trust anew."
    )
