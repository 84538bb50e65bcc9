"""One generator per format that turns bytes into rows with their places, holding one chunk at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from evolver.pool.detect import Format
from evolver.pool.dialogue import looks_like_turns
from evolver.pool.record import MAX_ROW, NOT_JSON, BadRowError, MalformedError, Record, TruncatedError
from evolver.pool.table import TOO_LONG, read_table

CHUNK_BYTES = 1 << 20
MAX_DIGITS = 18
_MOST_DIGITS = 1_000
LONGEST_WORD = 16  # of JSON, rounded up: "-Infinity" and a pair of \u escapes have to fit

_SPACE = re.compile(r"[ \t\r\n]*")


def read_records(stream: BinaryIO, format_: Format) -> Iterator[Record]:
    """Yield the rows of a text, read from its beginning on, of a format that :func:`detect` found.

    Raises:
        TruncatedError: The pool was cut.
        MalformedError: The pool cannot be read on.
        EncodingError: The pool is not in its encoding.
    """
    stream.read(format_.start)
    if format_.kind == "JSON list":
        return _read_list(stream, wrapped=format_.key is not None)
    if format_.kind == "JSON objects":
        return _read_objects(stream)
    if format_.kind == "JSONL":
        return _read_lines_of_json(stream)
    if format_.dialect is not None:
        return read_table(stream, format_.dialect)
    return _read_text(stream)


def _read_text(stream: BinaryIO) -> Iterator[Record]:
    for where, line, _ in _lines(stream):
        yield Record(where, BadRowError(TOO_LONG) if line is None else {"instruction": line})


def _read_lines_of_json(stream: BinaryIO) -> Iterator[Record]:
    """Yield one row a line; only a broken last line without its line end shows that the file was cut."""
    for where, line, ended in _lines(stream):
        row: object
        try:
            row = BadRowError(TOO_LONG) if line is None else _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            if not ended:
                raise TruncatedError(f"in {where}") from error
            row = BadRowError(NOT_JSON)
        yield Record(where, row)


def _lines(stream: BinaryIO) -> Iterator[tuple[str, str | None, bool]]:
    r"""Yield place, text and whether the line was ended, for each line that is not blank.

    Only ``\n`` and ``\r\n`` end a line: form feeds and U+2028 are part of the text. A line that is too long to be held
    has no text.
    """
    number = 0
    while raw := stream.readline(MAX_ROW + 1):
        number += 1
        if len(raw) > MAX_ROW:
            while not raw.endswith(b"\n") and (raw := stream.readline(MAX_ROW)):
                pass
            yield f"line {number}", None, True
            continue
        text = raw.decode("utf-8")
        line = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
        if line.strip():
            yield f"line {number}", line, text.endswith("\n")


def _integer(digits: str) -> int | str | None:
    """Read an integer; a long one stays the text that it is, one of thousands of digits serves nobody."""
    if len(digits) <= MAX_DIGITS:
        return int(digits)
    return digits if len(digits) <= _MOST_DIGITS else None


# Raw line ends and tabs inside strings are common dirt and harmless.
_DECODER = json.JSONDecoder(strict=False, parse_int=_integer)


def _read_list(stream: BinaryIO, *, wrapped: bool) -> Iterator[Record]:
    """Yield the rows of a JSON list, streamed.

    By the standard library's decoder, row by row, because a yajl-based reader replaces a lone surrogate by "?"
    or joins it to the next escape without a word, and because this one is nearly as fast.
    """
    window = _Window(stream)
    window.take("[")
    count = 0
    while not window.at("]"):
        if count:
            window.take(",", after=count)
        count += 1
        yield Record(f"record {count}", window.value(count))
    window.take("]")
    if wrapped:
        _check_alone(window, count)
    rest = window.rest()
    if wrapped and not rest.endswith("}"):
        raise TruncatedError(f"after record {count}")
    if not wrapped and rest:
        raise MalformedError(f"goes on after the end of its list (record {count})")


def _check_alone(window: _Window, count: int) -> None:
    """Refuse a second list of rows beside the first, such as that of another split: it would be left out unsaid."""
    while window.at(","):
        window.take(",")
        name = window.value(count)
        window.take(":", after=count)
        if not window.at("["):
            window.value(count)
            continue
        window.take("[")
        if window.at("{"):
            raise MalformedError(f"holds a second list of rows, {name!r}, behind the first of {count}")
        return


def _read_objects(stream: BinaryIO) -> Iterator[Record]:
    """Yield JSON objects that stand one after the other, over several lines each; columns are turned into rows."""
    window = _Window(stream)
    count = 0
    while window.at("{"):
        count += 1
        row = window.value(count)
        for turned in _turned(row) if count == 1 else [row]:
            yield Record(f"record {count}", turned)
    if window.rest():
        raise MalformedError(f"goes on after its objects (record {count})")


def _turned(row: object) -> Iterator[object]:
    """Yield the rows of an object that holds columns, each a list or an object by number; any other is itself."""
    columns = list(row.values()) if isinstance(row, dict) else []
    if columns and all(isinstance(one, dict) for one in columns):
        first = list(columns[0])
        if "0" in first and all(list(one) == first for one in columns):
            columns = [list(one.values()) for one in columns]
    lists = all(isinstance(one, list) and not looks_like_turns(one) for one in columns)
    if not isinstance(row, dict) or not columns or not lists or len({len(one) for one in columns}) > 1:
        yield row
        return
    for values in zip(*columns, strict=True):
        yield dict(zip(row, values, strict=True))


class _Window:
    """The part of a text stream that is being decoded."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._place = 0
        self._ended = False

    def _more(self) -> bool:
        """Read on, dropping what is done with; a row that does not fit doubles the window each time."""
        if self._ended:
            return False
        if len(self._text) - self._place > MAX_ROW:
            raise MalformedError(f"holds a value {TOO_LONG}")
        self._text = self._text[self._place :]
        self._place = 0
        raw = self._stream.read(max(CHUNK_BYTES, len(self._text)))
        self._ended = not raw
        self._text += self._decoder.decode(raw, final=self._ended)
        return True

    def at(self, sign: str) -> bool:
        """Whether the next character that is no white space is ``sign``."""
        while True:
            found = _SPACE.match(self._text, self._place)
            self._place = found.end() if found else self._place
            if self._place < len(self._text) or not self._more():
                return self._text.startswith(sign, self._place)

    def take(self, sign: str, after: int = 0) -> None:
        """Step over ``sign``."""
        if not self.at(sign):
            if self._place == len(self._text):
                raise TruncatedError(f"after record {after}")
            raise MalformedError(f"is not valid JSON after record {after}")
        self._place += 1

    def value(self, number: int) -> object:
        """Decode the next value, reading on for as long as it may only be incomplete."""
        self.at("")  # skip white space
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
                # A number that ends with the window may have more digits behind it.
                if end < len(self._text) or not self._more():
                    self._place = end
                    return value
            except json.JSONDecodeError as error:
                if self._mendable(error) and self._more():
                    continue
                if self._ended and self._cut(error):
                    raise TruncatedError(f"in record {number}") from error
                raise MalformedError(f"is not valid JSON in record {number}") from error
            except RecursionError as error:
                raise MalformedError(f"is nested too deeply in record {number}") from error

    def _mendable(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could mend the error: it is an open string, or a word cut by the window's end."""
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - LONGEST_WORD

    def _cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the text just stops there: nothing after the error closes anything."""
        return error.msg.startswith("Unterminated") or not set('"]}') & set(self._text[error.pos :])

    def rest(self) -> str:
        """Return the last of what is left, white space stripped; it is looked at, never parsed."""
        last = ""
        while True:
            last = (last + self._text[self._place :])[-CHUNK_BYTES:].strip()
            self._place = len(self._text)
            if not self._more():
                return last
