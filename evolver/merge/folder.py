"""The folder of a Hugging Face dataset: Parquet shards in ``data/`` and a ``README.md``."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from evolver.errors import OutputError
from evolver.merge.containers import CONTAINERS, Write
from evolver.merge.formats import Record
from evolver.merge.parts import lock, mode_of_new_files, tidy

SHARD_ROWS = 100_000  # a multiple of the slices that records come in

_OURS = re.compile(r"README\.md|data|data/train-\d{5}-of-\d{5}\.parquet")


def check_folder(output: Path) -> None:
    """Refuse to replace what is not a dataset folder as it is written here.

    Raises:
        OutputError: Something else stands there; the message names it.
    """
    if not output.exists():
        if not os.access(output.parent, os.W_OK):
            raise OutputError(f"{output} must not be written to; nothing was written. Name another folder.")
        return
    if not output.is_dir() or output.is_symlink():
        raise OutputError(f"{output} is there and no folder; nothing was written. Name a new folder.")
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if not _OURS.fullmatch(name):
            raise OutputError(
                f"{output} holds {name}, which no merge wrote; nothing was written. Name a new folder."
            )


@contextmanager
def replacing_folder(output: Path) -> Iterator[Path]:
    """Make a folder that takes the place of ``output`` when the block ends, and is gone if it raises.

    An older dataset is moved aside first and removed last, so between the two renames there is none at all; if the
    process is killed just there, the next merge into ``output`` puts the older one back first.

    Raises:
        OutputError: It cannot be written; what was there before is there still.
    """
    old = output.with_name(f".evolve-{output.name}.old")
    part = output.with_name(f".evolve-{secrets.token_hex(6)}.part")
    try:
        recover(output)
        tidy(output.parent)
        part.mkdir(mode=0o700)
        with _locked(part):
            yield part
            for path in part.rglob("*"):
                _sync(path)
            _open_up(part, output)
            _swap(part, output, old)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{output} cannot be written ({reason}); it is as it was before. Make room, or name another folder."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def recover(output: Path) -> None:
    """Undo what a process that was killed between two renames has left.

    Raises:
        OSError: The older dataset cannot be put back.
    """
    old = output.with_name(f".evolve-{output.name}.old")
    if not old.is_dir() or old.is_symlink():
        return
    if output.exists():  # killed after the second rename: the new one is whole
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.rename(output)


def _swap(part: Path, output: Path, old: Path) -> None:
    replaced = output.exists()
    if replaced:
        output.rename(old)
    try:
        part.rename(output)
    except BaseException:
        if replaced:
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _open_up(part: Path, output: Path) -> None:
    """Give a folder that was its owner's alone the mode of the one it replaces, or what the umask leaves."""
    files = mode_of_new_files()
    part.chmod(stat.S_IMODE(output.stat().st_mode) if output.exists() else files | (files & 0o444) >> 2)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def shards(folder: Path, sample: Record, rows: int) -> Iterator[Write]:
    """Open the writer of ``rows`` records, in files of ``SHARD_ROWS``; each call's records stay in one file."""
    data = folder / "data"
    data.mkdir()
    count = max(1, -(-rows // SHARD_ROWS))
    done = 0
    with ExitStack() as shard:
        to_shard: Write | None = None

        def write(records: list[Record]) -> None:
            nonlocal done, to_shard
            if to_shard is None or done % SHARD_ROWS == 0:
                shard.close()
                name = f"train-{done // SHARD_ROWS:05}-of-{count:05}.parquet"
                file = shard.enter_context((data / name).open("xb", buffering=1 << 20))
                to_shard = shard.enter_context(CONTAINERS[".parquet"](file, sample))
            to_shard(records)
            done += len(records)

        yield write


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
