"""The way from rows to seeds: check, make one text of them, count."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from evolver.errors import PoolError
from evolver.pool import rows
from evolver.pool.record import Record
from evolver.pool.seeds import PoolReport, Seed, Skip
from evolver.pool.source import pool_error

INSTRUCTION_BYTES = 16
RESPONSE_BYTES = 7  # the most that an integer of 32 bytes holds; it only tells two kinds of skip apart
SHAPES = (
    "A pool is a JSON list, JSONL or Parquet of {instruction, input, output}, {instruction, response}, "
    "{conversations}, {messages}, {instruction, instances} or {problem, solution} rows, or plain text with one "
    "instruction a line."
)


class SeedReader:
    """Turns rows into seeds, each instruction once, and keeps the account.

    Memory: two digests a seed and their bookkeeping (about 130 bytes), and the row in hand.
    """

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
