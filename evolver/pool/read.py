"""The way from a file to seeds: open, detect, read, check, count."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from evolver.errors import PoolError
from evolver.pool import rows
from evolver.pool.detect import detect
from evolver.pool.record import MalformedError, Record, TruncatedError
from evolver.pool.records import read_records
from evolver.pool.seeds import PoolReport, Seed, Skip
from evolver.pool.source import display_name, open_pool, pool_error, stated

INSTRUCTION_BYTES = 16
RESPONSE_BYTES = 7  # the most that an integer of 32 bytes holds; it only tells two kinds of skip apart
SHAPES = (
    "A pool is a JSON list, JSONL or Parquet of {instruction, input, output}, {instruction, response}, "
    "{conversations}, {messages}, {instruction, instances} or {problem, solution} rows, or plain text with one "
    "instruction a line."
)


def read_pool(
    path: str | Path,
    *,
    strict: bool = False,
    limit: int | None = None,
    report: PoolReport | None = None,
    on_skip: Callable[[Skip], None] | None = None,
) -> Iterator[Seed]:
    """Yield the seeds of a pool in its order, each instruction once, reading as they are asked for.

    The first row of an instruction gives the seed. A later one is a ``duplicate``, or is counted as ``same
    instruction, other response`` where its response is lost that way.

    Every error comes from the iterator, so some only after seeds have been handed out: read to the end, or
    inside a transaction, before the seeds count as stored. Memory: two digests a seed and their
    bookkeeping (about 130 bytes), and the row in hand.

    Args:
        path: Any file of instructions; ``-`` is standard input. The format is told from the content.
        strict: Make the first bad row an error. An instruction that came before is not bad, nor is an empty
            response.
        limit: Stop after this many seeds; what comes after them is not looked at.
        report: Filled in while reading.
        on_skip: Called with each row that gives no seed.

    Raises:
        PoolError: The pool cannot be read, is damaged or cut, has no known shape, or holds no seed.
    """
    account = report if report is not None else PoolReport()
    reader = _Reader(display_name(path), account, strict, on_skip)
    with open_pool(path) as stream:
        yield from islice(reader.seeds(_records(path, stream, account)), limit)


def _records(path: str | Path, stream: BinaryIO, report: PoolReport) -> Iterator[Record]:
    """Yield the pool's rows; every way in which reading can fail becomes one sentence here."""
    name = display_name(path)
    try:
        with stated(path):
            format_ = detect(stream)
            if format_.kind == "empty":
                raise pool_error(name, "is empty", "Name a file that holds instructions.")
            if format_.kind == "unknown":
                raise pool_error(name, "has no known shape", SHAPES)
            report.format = format_.kind
            yield from read_records(stream, format_)
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text after row {report.read:,}"
        raise pool_error(name, what, "Convert it to UTF-8, or unpack it if it is compressed.") from error
    except TruncatedError as error:
        raise pool_error(name, f"is cut off {error}", "Fetch or write the whole file again.") from error
    except MalformedError as error:
        raise pool_error(name, str(error), f"Mend the file there, or write it again. {SHAPES}") from error


def pool_sha256(path: str | Path) -> str:
    """Return the SHA-256 of the pool's bytes in hexadecimal; ``-`` is standard input, as in :func:`read_pool`.

    Raises:
        PoolError: The file cannot be read.
    """
    digest = hashlib.sha256()
    with open_pool(path) as stream, stated(path):
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


class _Reader:
    """Turns rows into seeds and keeps the account."""

    def __init__(
        self, name: str, report: PoolReport, strict: bool, on_skip: Callable[[Skip], None] | None
    ) -> None:
        self.name = name
        self.report = report
        self._strict = strict
        self._on_skip = on_skip
        self._taken: dict[int, int] = {}  # digest of an instruction -> digest of its response

    def seeds(self, records: Iterator[Record]) -> Iterator[Seed]:
        """Yield the good rows.

        Raises:
            PoolError: No row was good, or with ``strict`` one was bad.
        """
        for record in records:
            instances = rows.parts(record.row)
            for number, row in enumerate(instances, 1):
                where = record.where if len(instances) == 1 else f"{record.where}, instance {number}"
                ordinal = self.report.read
                self.report.read += 1
                try:
                    seed = self._seed(ordinal, row, where)
                except rows.BadRowError as error:
                    self._skip(Skip(ordinal, where, str(error)))
                    continue
                if not self.report.seeds:
                    self._name_shape(record.row)
                self.report.seeds += 1
                yield seed
        if not self.report.seeds:
            raise self._nothing_read()

    def _seed(self, ordinal: int, row: object, where: str) -> Seed:
        """Check one row and make it a seed."""
        if isinstance(row, rows.BadRowError):
            raise row
        found = rows.draft(row)
        if not found.instruction.strip():
            raise rows.BadRowError(rows.NO_INSTRUCTION)
        if rows.holds_merged_rows(found.instruction):
            raise rows.BadRowError(rows.MERGED)
        encoded = _storable(found.instruction)
        _storable(found.response)
        answer = found.response.strip()
        response = self._response(found.response, where)
        digest = _digest(answer.encode(), RESPONSE_BYTES)
        key = _digest(encoded, INSTRUCTION_BYTES)
        if key in self._taken:
            lost = answer and digest != self._taken[key]
            raise rows.BadRowError(rows.OTHER_RESPONSE if lost else rows.DUPLICATE)
        self._taken[key] = digest
        if response is None:
            self.report.unanswered[rows.MERGED if found.response.strip() else rows.EMPTY_OUTPUT] += 1
        return Seed(ordinal, found.instruction, response, rows.origin(row))

    def _response(self, text: str, where: str) -> str | None:
        """Return a response that may be trained on; one that runs on into other rows may not."""
        if not text.strip():
            return None
        if not rows.holds_merged_rows(text):
            return text
        if self._strict:
            raise self._bad_row(where, f"{rows.MERGED} in its response")
        return None

    def _skip(self, skip: Skip) -> None:
        if self._strict and skip.reason not in (rows.DUPLICATE, rows.OTHER_RESPONSE):
            raise self._bad_row(skip.where, skip.reason)
        self.report.add(skip)
        if self._on_skip is not None:
            self._on_skip(skip)

    def _bad_row(self, where: str, reason: str) -> PoolError:
        return pool_error(self.name, f"has a bad row at {where}: {reason}", "Mend it, or leave out --strict.")

    def _name_shape(self, row: object) -> None:
        if self.report.format != "plain text":
            self.report.format += f" of {rows.shape(row)} rows"

    def _nothing_read(self) -> PoolError:
        report = self.report
        if not report.read:
            return pool_error(self.name, "holds no rows", "Name a file that holds instructions.")
        if report.skipped[rows.NO_KNOWN_FIELDS] == report.read:
            return pool_error(self.name, "has no known shape", SHAPES)
        why = f"gave no seed, all of its {report.read:,} rows were skipped: {report.skipped_in_words()}"
        return pool_error(self.name, why, SHAPES)


def _digest(data: bytes, size: int) -> int:
    """Return a digest as an integer, which takes less memory than its bytes."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=size).digest())


def _storable(text: str) -> bytes:
    """Return the UTF-8 bytes of a text that a database can hold; NUL and lone surrogates it cannot."""
    if "\0" in text:
        raise rows.BadRowError(rows.NUL)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise rows.BadRowError(rows.SURROGATE) from error
