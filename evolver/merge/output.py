"""Put a dataset in place whole, or not at all: a file, or the folder of a Hugging Face dataset."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evolver.errors import OutputError
from evolver.merge.containers import CONTAINERS, Container, Write
from evolver.merge.folder import check_folder, replacing_folder, shards
from evolver.merge.formats import Record
from evolver.merge.parts import mode_of_new_files, new_part, tidy
from evolver_store.strangers import is_strangers_link


def container_for(output: Path) -> Container:
    """Return what writes files of this name.

    Raises:
        OutputError: The ending is unknown.
    """
    try:
        return CONTAINERS[output.suffix.lower()]
    except KeyError as error:
        raise OutputError(
            f"the name {output.name!r} does not say what to write; nothing was written. End it in .jsonl, .json or "
            ".parquet, or give it no ending for the folder of a Hugging Face dataset."
        ) from error


def is_folder(output: Path) -> bool:
    """Whether a name, having no ending, means the folder of a Hugging Face dataset."""
    return output.suffix == "" and not output.name.startswith(".") and output.name != ""


def check_output(output: Path) -> None:
    """Refuse an output that cannot be written, before anything is spent on its content.

    Raises:
        OutputError: An unknown ending; no such folder, or one that must not be written to; or something stands
            there already that is not for a dataset to replace.
    """
    if is_folder(output):
        check_parent(output)
        check_folder(output)
        return
    container_for(output)
    check_file(output)


def check_file(output: Path) -> None:
    """Refuse a file that cannot be written, whatever its ending.

    Raises:
        OutputError: As :func:`check_output`.
    """
    check_parent(output)
    target = _target(output)
    if target.is_dir():
        raise OutputError(f"{output} is a folder; nothing was written. Name a file in it.")
    if target.exists() and not target.is_file():
        raise OutputError(f"{output} is a device or a pipe; nothing was written. Name a file.")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise OutputError(f"{output} must not be written to; nothing was written. Name another file.")


def check_parent(output: Path) -> None:
    """Refuse an output in a folder that is not there.

    Raises:
        OutputError: It is not.
    """
    target = _target(output)
    if not target.parent.is_dir():
        raise OutputError(
            f"the folder {target.parent} does not exist; {output} was not written. Make it first."
        )


@contextmanager
def open_dataset(output: Path, sample: Record, rows: int, card: Callable[[], str]) -> Iterator[Write]:
    """Open a dataset that takes the place of ``output`` when the block ends, and is gone if it raises.

    Args:
        output: As :func:`check_output` wants it.
        sample: A record with every field filled.
        rows: How many records will be written.
        card: Makes the README of a folder; not called for a file.

    Raises:
        OutputError: It cannot be written; what was there before is untouched.
    """
    if is_folder(output):
        with replacing_folder(output) as part:
            (part / "README.md").write_text(card(), encoding="utf-8")
            with shards(part, sample, rows) as write:
                yield write
    else:
        container = container_for(output)
        with replacing(output) as file, container(file, sample) as write:
            yield write


def size_of(output: Path) -> int:
    """Return the size of a dataset in bytes."""
    if output.is_dir():
        return sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return output.stat().st_size


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``output`` when the block ends, and is gone if it raises.

    A symbolic link stays, and what it points to is replaced. A file that was there keeps its mode; a new one has what
    the umask leaves. Until it is whole it is hidden and its owner's alone. What killed processes have left of such
    files beside it is tidied away.

    Raises:
        OutputError: It cannot be written; what was there before is untouched.
    """
    target = _target(output)
    tidy(target.parent)
    try:
        with new_part(target.parent) as part:
            with part.path.open("r+b", buffering=1 << 20) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.path.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else mode_of_new_files())
            part.path.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{output} cannot be written ({reason}); it is as it was before. Make room, or name another file."
        ) from error


def _target(output: Path) -> Path:
    """Follow links to what is to be replaced, but none that a stranger may have put there.

    Raises:
        OutputError: One is a stranger's.
    """
    if is_strangers_link(output):
        raise OutputError(
            f"{output} is a link that another user made in a folder that others may write to; nothing was written. "
            "Name another file, or write to a folder of your own."
        )
    return Path(os.path.realpath(output))
