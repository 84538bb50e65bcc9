"""A pool from any source: one pass gives digest, counts and sample; another one the seeds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from evolver.pool.columns import Columns
from evolver.pool.files import FileRows
from evolver.pool.folders import FolderRows, split_off
from evolver.pool.read import SeedReader
from evolver.pool.reading import Reading
from evolver.pool.record import Record
from evolver.pool.seeds import PoolReport, Seed
from evolver.pool.source import HUB, STDIN

PoolSource = str | os.PathLike[str] | Iterable[object]
"""A path (``-`` is standard input), ``hf:OWNER/NAME[@REVISION][:SPLIT]``, or rows in Python.

Those are an iterable of dicts or texts, a DataFrame, an Arrow table, a ``Dataset``.
"""


class Rows(Protocol):
    """A source of rows that can be read several times."""

    name: str

    def sha256(self) -> str:
        """Return the digest of what was read, or of all there is where that costs little."""

    def records(self, report: PoolReport, columns: Columns) -> Iterator[Record]:
        """Yield the rows from the first on, and name the format in the report; ``columns`` tell a table's header."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a pool finds out: its digest, the account of its rows, and a sample of instructions."""

    sha256: str
    report: PoolReport
    sample: tuple[str, ...]

    @property
    def seeds(self) -> int:
        """How many seeds the pool gives."""
        return self.report.seeds

    @property
    def unanswered(self) -> int:
        """How many of them have no response that can be used."""
        return self.report.unanswered.total()


class Pool:
    """A pool, which is opened anew for each reading; nothing is read before it is asked for.

    A plan asks for :meth:`survey` where it needs an estimate and for :attr:`sha256` where it needs only the digest;
    :meth:`seeds` is for storing. Whatever came from a stream, a generator or a server is kept in a temporary file when
    it is read first, and read from there afterwards.

    Args:
        source: A path, or rows in Python.
        how: How rows become seeds; may be set until the first reading.

    Raises:
        PoolError: An object in Python is none that rows can be read from.
    """

    def __init__(self, source: PoolSource, how: Reading | None = None) -> None:
        self.how = how or Reading()
        self._rows = _open(source)
        self._whole = not isinstance(source, str | os.PathLike)
        self._survey: tuple[object, Survey] | None = None

    @property
    def name(self) -> str:
        """What messages and the store call the pool: its path, or the kind of object."""
        return self._rows.name

    @property
    def sha256(self) -> str:
        """The digest of the pool in hexadecimal: of a file's bytes, or of the rows of an object in a normal form.

        Of an object, the rows up to the limit count, so one that never ends has a digest where there is a limit.

        Raises:
            PoolError: The pool cannot be read.
        """
        if self._whole and self._survey is None:
            return self.survey(0).sha256
        return self._rows.sha256()

    def survey(self, sample: int = 0, seed: int = 0) -> Survey:
        """Read the pool once, to its end or the limit; a second call with the same arguments reads nothing.

        Args:
            sample: How many instructions to draw, each equally likely.
            seed: Of the draw.

        Raises:
            PoolError: As :meth:`seeds`.
        """
        asked = sample, seed, self.how
        if self._survey is None or self._survey[0] != asked:
            report = PoolReport()
            drawn = _draw((one.instruction for one in self.seeds(report)), sample, seed)
            self._survey = asked, Survey(self._rows.sha256(), report, drawn)
        return self._survey[1]

    def seeds(self, report: PoolReport | None = None) -> Iterator[Seed]:
        """Yield the seeds in the pool's order, each instruction once, reading as they are asked for.

        The first row of an instruction gives the seed. A later one is a ``duplicate``, or is counted as ``same
        instruction, other response`` where its response is lost that way.

        Every error comes from the iterator, so some only after seeds have been handed out: read to the end, or
        inside a transaction, before the seeds count as stored.

        Args:
            report: Filled in while reading.

        Raises:
            PoolError: The pool cannot be read, is damaged or cut, has no known shape, or holds no seed.
        """
        account = report if report is not None else PoolReport()
        reader = SeedReader(self.name, self.how, account)
        yield from reader.seeds(self._rows.records(account, reader.columns))


def read_pool(
    source: PoolSource,
    *,
    strict: bool = False,
    limit: int | None = None,
    report: PoolReport | None = None,
) -> Iterator[Seed]:
    """Yield the seeds of a pool; :meth:`Pool.seeds` for a single reading, with the attributes of :class:`Reading`.

    Raises:
        PoolError: As :class:`Pool` and :meth:`Pool.seeds`, all of them from the iterator.
    """
    yield from Pool(source, Reading(strict=strict, limit=limit)).seeds(report)


def pool_sha256(source: PoolSource) -> str:
    """Return :attr:`Pool.sha256`.

    Raises:
        PoolError: The pool cannot be read.
    """
    return Pool(source).sha256


def _open(source: PoolSource) -> Rows:
    if isinstance(source, str | os.PathLike):
        if isinstance(source, str) and source.startswith(HUB) and not Path(source).exists():
            from evolver.pool.hub import HubRows

            return HubRows(source)
        path, split = split_off(os.fspath(source))
        if path != STDIN and _is_folder(path):
            return FolderRows(path, split)
        return FileRows(path)
    from evolver.pool.objects import ObjectRows

    return ObjectRows(source)


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):  # a path that no system can hold; reading it says so
        return False


def _draw(texts: Iterable[str], size: int, seed: int) -> tuple[str, ...]:
    """Return ``size`` of the texts, each equally likely, in one pass; all of them where there are fewer."""
    rng = Random(seed)
    kept: list[str] = []
    for number, text in enumerate(texts):
        if number < size:
            kept.append(text)
        elif size and (place := rng.randrange(number + 1)) < size:
            kept[place] = text
    return tuple(kept)
