"""No output takes the place of an input, of a store, or of a file that somebody else wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from glob import escape
from hashlib import file_digest, sha256
from pathlib import Path

from evolver.errors import OutputError, SettingsError

Places = Iterable[tuple[str, Path]]
"""What a file is, in words, and where it lies."""

WRITTEN = "written"
"""The key, in a run's settings, of the digest of each output that it wrote, by place."""


def store_files(what: str, database: str | None) -> Iterator[tuple[str, Path]]:
    """Yield the files of a SQLite store: the database and whatever lies beside it."""
    if not database:
        return
    yield what, Path(database)
    for ending in ("-wal", "-shm", "-journal", "-asking"):
        yield f"a part of {what}", Path(f"{database}{ending}")
    store = Path(database)
    for claim in store.parent.glob(f"{escape(store.name)}-claim-*"):
        yield f"a part of {what}", claim


def check_apart(outputs: Places, others: Places) -> None:
    """Refuse an output that is one of the other files, or that another output is, by whatever path or link.

    Names that differ in case alone count as one, as they do on some disks.

    Raises:
        SettingsError: It is so; the message names both.
    """
    taken = list(others)
    for flag, output in outputs:
        for what, path in taken:
            if _is_same(output, path):
                raise SettingsError(
                    f"{flag} {output} is {what}; nothing was started and nothing was replaced. Name another file."
                )
            if _is_within(path, output):
                raise SettingsError(
                    f"{what} ({path}) lies in the folder of {flag} {output}, which is replaced as a whole; nothing was "
                    "started and nothing was replaced. Name another folder."
                )
        taken.append((f"the file of {flag}", output))


def check_replaceable(flag: str, output: Path, written: Mapping[str, str], *, force: bool) -> None:
    """Refuse to replace a file with something in it, unless it is as it was written before.

    Args:
        flag: What the user named it by.
        output: A file or the folder of a dataset.
        written: Digests by :func:`place_of`, of what the same run or merge wrote.
        force: Replace it whatever it is.

    Raises:
        OutputError: It is not known, or has been changed since.
    """
    if force or is_empty(output):
        return
    before = written.get(place_of(output))
    if before == digest_of(output):
        return
    what = "has been changed since it was written" if before else "was written by something else"
    raise OutputError(
        f"{output} is there and {what}; nothing was started and nothing was replaced. Name another file with "
        f"{flag}, or say --force to replace it."
    )


def is_empty(output: Path) -> bool:
    """Tell whether there is nothing to lose: no file, an empty one, or an empty folder."""
    if output.is_dir():
        return not any(path.is_file() for path in output.rglob("*"))
    return not output.exists() or (output.is_file() and output.stat().st_size == 0)


def place_of(output: Path) -> str:
    """Return where an output lies, links followed."""
    return os.path.realpath(output)


def digest_of(output: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder with their names, in hexadecimal."""
    if not output.is_dir():
        with output.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    whole = sha256()
    for path in sorted(path for path in output.rglob("*") if path.is_file()):
        whole.update(f"{path.relative_to(output).as_posix()} {digest_of(path)}\n".encode())
    return whole.hexdigest()


def _is_same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists() and one.samefile(other):
        return True
    return os.path.realpath(one).casefold() == os.path.realpath(other).casefold()


def _is_within(inner: Path, outer: Path) -> bool:
    """Tell whether a file lies in what is, or will be, the folder of a dataset."""
    return (
        outer.suffix == "" and not outer.is_file() and Path(place_of(outer)) in Path(place_of(inner)).parents
    )
