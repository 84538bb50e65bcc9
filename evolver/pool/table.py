"""CSV, TSV and their kin: which dialect, told from the first lines, and the rows, read by the standard library."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from evolver.pool.record import MAX_ROW, BadRowError, MalformedError, Record, TruncatedError

SEPARATORS = "\t;|,"
_SAMPLE_ROWS = 50
_ENOUGH = 4
_NAMED = {".csv", ".tsv", ".tab", ".psv"}
_LONGEST_NAME = 60
_STOPS = (".", "!", ":")
_HEADING = re.compile(r"[^\W\d][\w .()/%#-]{0,39}|")
_SEP_LINE = re.compile(r"sep=([\t;|,])\r?\n", re.IGNORECASE)
_BACKSLASHED = re.compile(r'(?<!\\)\\"(?![\t;|,\r\n])')
MORE_FIELDS = "more fields than columns"
TOO_LONG = f"longer than {MAX_ROW >> 20} MiB"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written; ``skip`` lines stand before its header."""

    separator: str
    quoted: bool
    escaped: bool
    spaced: bool
    skip: int
    header: tuple[str, ...]

    def reader(self, lines: Iterator[str]) -> csv_reader:
        """Return a reader of the lines; strict, so that a stray quote is an error and no silent change of a text."""
        return csv.reader(
            lines,
            delimiter=self.separator,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            doublequote=not self.escaped,
            escapechar="\\" if self.escaped else None,
            skipinitialspace=self.spaced,
            strict=True,
        )


csv_reader = Iterator[list[str]]


def find_dialect(text: str, *, whole: bool, suffix: str, is_known: Callable[[str], bool]) -> Dialect | None:
    """Tell whether a text is a table, from its beginning.

    It is where the first line names a column that a pool has, or where the name of the file says so; and where every
    one of its first rows has the same number of fields and the first looks like a heading. ``None`` for plain text.

    Args:
        text: The first 64 KiB, decoded.
        whole: Whether that is all there is.
        suffix: The ending of the file's name.
        is_known: Whether a heading is the name of a column that is read.
    """
    skip, text = _without_sep_line(text)
    lines = text.split("\n")
    sample = [f"{line}\n" for line in (lines if whole else lines[:-1]) if line.strip("\r")] or lines
    first = sample[0] if sample else ""
    found = [
        dialect
        for separator in SEPARATORS
        if separator in first and (dialect := _dialect(separator, text, sample, skip)) is not None
    ]
    known = [one for one in found if _names_columns(one.header, suffix, is_known)]
    if known:
        return max(known, key=lambda one: (sum(map(is_known, one.header)), len(one.header)))
    if (
        is_known(alone := first.strip().strip('"'))
        and len(sample) > 1
        and first.strip() == first.strip("\r\n")
    ):
        return Dialect("\t", _is_quoted(sample), False, False, skip, (alone,))
    regular = [one for one in found if _is_regular(one, sample, suffix)]
    return max(regular, key=lambda one: len(one.header), default=None)


def read_table(stream: BinaryIO, dialect: Dialect) -> Iterator[Record]:
    """Yield the rows below the header; a row without any value is passed over as a blank line is.

    Raises:
        TruncatedError: The table ends inside quotes.
        MalformedError: A quote stands where none may, or is not closed within 8 MiB.
    """
    csv.field_size_limit(MAX_ROW)
    place = _Place(stream)
    reader = dialect.reader(iter(place))
    names = _unlike(dialect.header)
    number = 0
    try:
        for _ in islice(iter(place), dialect.skip):
            pass
        while next(reader, None) == []:  # blank lines before the header
            pass
        start = place.line + 1
        for fields in reader:
            where, start = f"line {start}", place.line + 1
            if not any(field.strip() for field in fields):
                continue
            number += 1
            row: object = {name: field for name, field in zip(names, fields, strict=False) if name}
            if any(field.strip() for field in fields[len(names) :]):
                row = BadRowError(MORE_FIELDS)
            yield Record(where, row)
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise TruncatedError(f"inside the quotes of row {number + 1:,}") from error
        if "limit" in str(error):
            raise MalformedError(
                f"has a field {TOO_LONG} in row {number + 1:,}, or a quote that is not closed"
            ) from error
        raise MalformedError(f"has a stray quote in row {number + 1:,} (line {place.line})") from error


class _Place:
    """The lines of a stream, counted; NUL bytes stay in, and are found with the row."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.line = 0

    def __iter__(self) -> Iterator[str]:
        while raw := self._stream.readline(MAX_ROW + 1):
            if len(raw) > MAX_ROW:
                raise MalformedError(f"has a line {TOO_LONG} (line {self.line + 1})")
            self.line += 1
            yield raw.decode("utf-8")


def _without_sep_line(text: str) -> tuple[int, str]:
    """Take off ``sep=;``, which Excel is told the separator with."""
    found = _SEP_LINE.match(text)
    return (1, text[found.end() :]) if found else (0, text)


def _dialect(separator: str, text: str, sample: Sequence[str], skip: int) -> Dialect | None:
    """Return the dialect with this separator; ``None`` where the header cannot be read by it."""
    escaped = _BACKSLASHED.search(text) is not None and '""' not in text
    spaced = f'{separator} "' in text
    for quoted in (True, False):
        dialect = Dialect(separator, quoted, escaped, spaced, skip, ())
        try:
            rows = list(islice(dialect.reader(iter(sample)), _SAMPLE_ROWS))
        except csv.Error as error:
            # Only in tables of tabs is a quote just a sign; elsewhere a stray one is told of when it is met.
            if quoted and separator == "\t" and "unexpected end" not in str(error):
                continue
            rows = list(islice(dialect.reader(iter(sample)), 1)) if _readable(dialect, sample[0]) else []
        header = tuple(name.strip() for name in rows[0]) if rows else ()
        if len(header) < 2:
            return None
        return Dialect(separator, quoted, escaped, spaced, skip, header)
    return None


def _readable(dialect: Dialect, line: str) -> bool:
    try:
        return bool(next(dialect.reader(iter([line])), None))
    except csv.Error:
        return False


def _names_columns(header: Sequence[str], suffix: str, is_known: Callable[[str], bool]) -> bool:
    """Whether a first line is a header by its words; "Question, answer, and repeat." is none."""
    if not any(map(is_known, header)):
        return False
    return suffix in _NAMED or all(
        len(name) <= _LONGEST_NAME and not name.endswith(_STOPS) for name in header
    )


def _is_regular(dialect: Dialect, sample: Sequence[str], suffix: str) -> bool:
    """Whether the first rows agree in their number of fields, and the first names columns."""
    try:
        rows = list(islice(dialect.reader(iter(sample[:_SAMPLE_ROWS])), _SAMPLE_ROWS))
    except csv.Error:
        return suffix in _NAMED
    if suffix in _NAMED:
        return True
    widths = {len(row) for row in rows}
    if len(widths) != 1 or len(rows) < _ENOUGH:
        return False
    quoted = all(line.startswith('"') for line in sample[:_ENOUGH])
    return quoted or (
        all(_HEADING.fullmatch(name) for name in dialect.header) and "," not in dialect.separator
    )


def _is_quoted(sample: Collection[str]) -> bool:
    return any(line.startswith('"') for line in islice(iter(sample), 1, None))


def _unlike(header: Sequence[str]) -> list[str]:
    """Return the column names; of two equal ones the first is kept, and what has no name (an index) is left out."""
    seen: set[str] = set()
    names = []
    for name in header:
        again = name in seen or not name or name.lower().startswith("unnamed:")
        names.append("" if again else name)
        seen.add(name)
    return names
