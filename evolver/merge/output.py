"""Put a file in place whole, or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from evolver.errors import OutputError
from evolver.merge.containers import CONTAINERS, Container


def container_for(output: Path) -> Container:
    """Return what writes files of this name.

    Raises:
        OutputError: The ending is unknown.
    """
    try:
        return CONTAINERS[output.suffix.lower()]
    except KeyError as error:
        raise OutputError(
            f"the name {output.name!r} does not say what to write; nothing was written. "
            "End it in .jsonl, .json or .parquet."
        ) from error


def check_output(output: Path) -> None:
    """Refuse an output that cannot be written, before anything is spent on its content.

    Raises:
        OutputError: An unknown ending; no such folder, or one that must not be written to; or something that
            is no file stands there already.
    """
    container_for(output)
    target = _target(output)
    if not target.parent.is_dir():
        raise OutputError(
            f"the folder {target.parent} does not exist; {output} was not written. Make it first."
        )
    if target.is_dir():
        raise OutputError(f"{output} is a folder; nothing was written. Name a file in it.")
    if target.exists() and not target.is_file():
        raise OutputError(f"{output} is a device or a pipe; nothing was written. Name a file.")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise OutputError(f"{output} must not be written to; nothing was written. Name another file.")


@contextmanager
def replacing(output: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``output`` when the block ends, and is gone if it raises.

    A symbolic link stays, and what it points to is replaced. A file that was there keeps its mode.

    Raises:
        OutputError: It cannot be written; what was there before is untouched.
    """
    target = _target(output)
    part = target.with_name(f".evolve-{secrets.token_hex(6)}.part")
    try:
        with part.open("xb", buffering=1 << 20) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{output} cannot be written ({reason}); it is as it was before. Make room, or name another file."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _target(output: Path) -> Path:
    return Path(os.path.realpath(output))
