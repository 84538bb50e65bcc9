"""Folders as pools: what ``save_to_disk`` of ``datasets`` leaves, a dataset's folder as on the Hub, plain files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from evolver.pool.columns import Columns
from evolver.pool.files import read_stream, suffix_of, told
from evolver.pool.record import NoPoolError, Record
from evolver.pool.seeds import PoolReport
from evolver.pool.source import FileBytes, stated

_KINDS = ((".parquet",), (".arrow",), (".jsonl", ".ndjson", ".json"), (".csv", ".tsv"))
_OWN = frozenset({"dataset_infos.json", "dataset_info.json", "state.json", "dataset_dict.json"})
_SPLIT = re.compile(r"(train|test|validation|valid|val|dev|eval)(?![a-z])", re.IGNORECASE)
_SPLIT_NAMES = {"valid": "validation", "val": "validation", "dev": "validation", "eval": "validation"}


def split_off(path: str) -> tuple[str, str | None]:
    """Take a split's name off a folder's: ``saved:train``; a path that is there is never taken apart."""
    folder, sign, split = path.rpartition(":")
    if sign and split and not Path(path).exists() and Path(folder).is_dir():
        return folder, split
    return path, None


class FolderRows:
    """The rows of all files of a folder, one after the other in the order of their names.

    The digest is the SHA-256 of the files' names and digests. A folder of several splits is read where one is named.

    Raises:
        PoolError: The folder holds no file of a kind that is read, or splits and none of them was named.
    """

    def __init__(self, path: str, split: str | None) -> None:
        self.name = path if split is None else f"{path}:{split}"
        self._root = Path(path)
        with stated(path), told(self.name, PoolReport()):
            self._files = {file: FileBytes(file) for file in _files(self._root, split)}

    def sha256(self) -> str:
        """Return the digest; bytes that a reading has passed are not read again.

        Raises:
            PoolError: A file cannot be read.
        """
        digest = hashlib.sha256()
        for path, bytes_ in self._files.items():
            digest.update(f"{path.relative_to(self._root).as_posix()} {bytes_.sha256()}\n".encode())
        return digest.hexdigest()

    def records(self, report: PoolReport, columns: Columns) -> Iterator[Record]:
        """Yield the rows; their places name the file where there are several.

        Raises:
            PoolError: A file cannot be read.
        """
        for path, bytes_ in self._files.items():
            inside = path.relative_to(self._root).as_posix()
            found = PoolReport()
            with stated(path), told(f"{self.name} ({inside})", report), bytes_.open() as stream:
                for record in read_stream(stream, suffix_of(path), found, columns):
                    if not report.format:
                        many = len(self._files)
                        report.packing, report.encoding = found.packing, found.encoding
                        report.format = found.format if many == 1 else f"{many:,} files of {found.format}"
                    yield (
                        record if len(self._files) == 1 else Record(f"{record.where} of {inside}", record.row)
                    )


def _files(root: Path, split: str | None) -> list[Path]:
    """Return the data files of a folder."""
    splits = _saved_splits(root)
    if splits is not None:
        return _files(root / _choose(splits, split), None)
    if (root / "state.json").is_file():
        return _saved_files(root)
    found = sorted(
        path
        for path in root.rglob("*")
        if path.name not in _OWN and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    for endings in _KINDS:
        files = [path for path in found if suffix_of(path) in endings and path.is_file()]
        if files:
            return _of_split(root, files, split)
    raise NoPoolError(
        "is a directory without a file that is read",
        "Name one of the files in it, or a folder of Parquet, JSONL or CSV.",
    )


def _saved_splits(root: Path) -> list[str] | None:
    """Return the splits of a saved ``DatasetDict``; ``None`` where the folder is none."""
    path = root / "dataset_dict.json"
    if not path.is_file():
        return None
    try:
        return [
            str(one) for one in json.loads(path.read_bytes())["splits"] if _inside(root, str(one)).is_dir()
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise NoPoolError(
            "is a saved dataset whose dataset_dict.json cannot be read", "Save it again."
        ) from error


def _saved_files(root: Path) -> list[Path]:
    """Return the files of a saved ``Dataset``, in its own order."""
    try:
        state = json.loads((root / "state.json").read_bytes())
        names = [str(one["filename"]) for one in state["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise NoPoolError("is a saved dataset whose state.json cannot be read", "Save it again.") from error
    return [_inside(root, name) for name in names]


def _of_split(root: Path, files: Sequence[Path], split: str | None) -> list[Path]:
    """Return the files of one split, which shows in their names; all of them where none shows."""
    by_split: dict[str, list[Path]] = {}
    for path in files:
        named = [*_SPLIT.findall(path.name), *_SPLIT.findall(path.parent.relative_to(root).as_posix())]
        name = named[0].lower() if named else ""
        by_split.setdefault(_SPLIT_NAMES.get(name, name), []).append(path)
    if split is None and len(by_split) == 1:
        return list(files)
    return by_split[_choose(list(by_split), _SPLIT_NAMES.get(split or "", split))]


def _choose(splits: Sequence[str], split: str | None) -> str:
    if split is None and len(splits) == 1:
        return splits[0]
    if split in splits and split:
        return split
    named = [one for one in splits if one] or [""]
    what = f"has no split {split!r}, but" if split else "holds several splits:"
    raise NoPoolError(
        f"{what} {', '.join(one or 'files of none' for one in splits)}",
        f"Name one of them behind a colon: --pool FOLDER:{named[0]}.",
    )


def _inside(root: Path, name: str) -> Path:
    """Return a file that a folder's own list names, which never leads out of the folder."""
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise NoPoolError("is a saved dataset that names files outside of itself", "Save it again.")
    return path
