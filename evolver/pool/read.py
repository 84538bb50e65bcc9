"""The way from rows to seeds: check, make one text of them, count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from evolver.errors import PoolError
from evolver.pool import rows
from evolver.pool.columns import advice_for
from evolver.pool.detect import SHAPES
from evolver.pool.dialogue import NO_INSTRUCTION
from evolver.pool.dirt import holds_merged_rows
from evolver.pool.reading import Reading
from evolver.pool.record import BadRowError, Record
from evolver.pool.seeds import PoolReport, Seed, Skip
from evolver.pool.source import pool_error
from evolver_store.storable import storable

INSTRUCTION_BYTES = 16
RESPONSE_BYTES = 7  # the most that an integer of 32 bytes holds; it only tells two kinds of skip apart

NUL = "NUL byte"
SURROGATE = "lone surrogate"
MERGED = "merged rows"
DUPLICATE = "duplicate"
OTHER_RESPONSE = "same instruction, other response"
EMPTY_OUTPUT = "empty output"
FILTERED = "filtered out"


class FilteredError(BadRowError):
    """A row that is good and was not wanted."""


class SeedReader:
    """Turns rows into seeds, each instruction once, and keeps the account.

    Memory: two digests a seed and their bookkeeping (about 130 bytes), and the row in hand.
    """

    def __init__(self, name: str, how: Reading, report: PoolReport) -> None:
        self.name = name
        self.report = report
        self._how = how
        self._shaper = rows.Shaper(how)
        self.columns = self._shaper.columns
        self._columns: dict[str, None] = {}  # of the first rows, in their order
        self._of_texts = False
        self._taken: dict[int, int] = {}  # digest of an instruction -> digest of its response

    def seeds(self, records: Iterator[Record]) -> Iterator[Seed]:
        """Yield the good rows, up to the limit.

        Raises:
            PoolError: No row was good, a column that was named is in none of them, or with ``strict`` one was bad.
        """
        self.report.unused = self._shaper.unused
        for record in records:
            yield from self._of_record(record)
            if self.report.seeds == self._how.limit:
                break
        self._check_columns()
        if not self.report.seeds:
            raise self._nothing_read()

    def _of_record(self, record: Record) -> Iterator[Seed]:
        if isinstance(record.row, dict) and len(self._columns) < rows.MOST_COLUMNS:
            self._columns.update(dict.fromkeys(record.row))
        drafts = list(self._drafts(record.row))
        for number, draft in enumerate(drafts, 1):
            where = (
                record.where if len(drafts) == 1 else f"{record.where}, {rows.part_name(record.row)} {number}"
            )
            ordinal = self.report.read
            self.report.read += 1
            try:
                seed = self._seed(ordinal, draft, where)
            except BadRowError as error:
                self._skip(Skip(ordinal, where, str(error)), wanted=not isinstance(error, FilteredError))
                continue
            if not self.report.seeds:
                self._name_shape(record.row)
            self.report.seeds += 1
            yield seed
            if self.report.seeds == self._how.limit:
                return

    def _drafts(self, row: object) -> Iterator[rows.Draft | BadRowError]:
        """Yield the drafts of a row; a bare text is a row only in a pool that begins with one."""
        if isinstance(row, BadRowError):
            yield row
            return
        if isinstance(row, str) and not row.lstrip().startswith("{"):
            self._of_texts = self._of_texts or not self.report.read
            if not self._of_texts:
                yield BadRowError(rows.NOT_AN_OBJECT)
                return
        yield from self._shaper.drafts(row)

    def _seed(self, ordinal: int, found: rows.Draft | BadRowError, where: str) -> Seed:
        """Check one draft and make it a seed."""
        if isinstance(found, BadRowError):
            raise found
        if not found.instruction.strip():
            raise BadRowError(NO_INSTRUCTION)
        if holds_merged_rows(found.instruction):
            raise BadRowError(MERGED)
        encoded = _storable(found.instruction)
        _storable(found.response)
        answer = found.response.strip()
        response = self._response(found.response, where)
        self._filter(found.instruction, response)
        digest = _digest(answer.encode(), RESPONSE_BYTES)
        key = _digest(encoded, INSTRUCTION_BYTES)
        if key in self._taken:
            lost = answer and digest != self._taken[key]
            raise BadRowError(OTHER_RESPONSE if lost else DUPLICATE)
        self._taken[key] = digest
        if response is None:
            self.report.unanswered[MERGED if answer else EMPTY_OUTPUT] += 1
        return Seed(ordinal, found.instruction, response, found.details)

    def _filter(self, instruction: str, response: str | None) -> None:
        for one in self._how.filters:
            if not one.keeps(instruction, response):
                raise FilteredError(f"{FILTERED} by {one.text}")

    def _response(self, text: str, where: str) -> str | None:
        """Return a response that may be trained on; one that runs on into other rows may not."""
        if not text.strip():
            return None
        if not holds_merged_rows(text):
            return text
        if self._how.strict:
            raise self._bad_row(where, f"{MERGED} in its response")
        return None

    def _skip(self, skip: Skip, *, wanted: bool) -> None:
        if self._how.strict and wanted and skip.reason not in (DUPLICATE, OTHER_RESPONSE):
            raise self._bad_row(skip.where, skip.reason)
        self.report.add(skip)

    def _bad_row(self, where: str, reason: str) -> PoolError:
        return pool_error(self.name, f"has a bad row at {where}: {reason}", "Mend it, or leave out --strict.")

    def _name_shape(self, row: object) -> None:
        if self.report.format != "plain text" and (shape := rows.shape(row, self._how.columns)):
            self.report.format += f" of {shape} rows"

    def _check_columns(self) -> None:
        missing = set(self._how.columns.values()) - self.columns.met
        if missing and self._columns:
            name = min(missing)
            raise pool_error(
                self.name, f"has no column {name!r}", advice_for(self._columns) or "Look at --column again."
            )

    def _nothing_read(self) -> PoolError:
        report = self.report
        if not report.read:
            return pool_error(self.name, "holds no rows", "Name a file that holds instructions.")
        if report.skipped[rows.NO_KNOWN_FIELDS] == report.read:
            return pool_error(self.name, "has no known shape", advice_for(self._columns) or SHAPES)
        why = f"gave no seed, all of its {report.read:,} rows were skipped: {report.skipped_in_words()}"
        return pool_error(self.name, why, SHAPES)


def _digest(data: bytes, size: int) -> int:
    """Return a digest as an integer, which takes less memory than its bytes."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=size).digest())


def _storable(text: str) -> bytes:
    """Return the UTF-8 bytes of a text that a database can hold; NUL and lone surrogates it cannot."""
    if not storable(text):
        raise BadRowError(NUL if "\0" in text else SURROGATE)
    return text.encode()
