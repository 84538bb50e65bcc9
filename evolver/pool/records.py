"""One generator per format that turns bytes into rows with their places, holding one chunk at a time."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from evolver.pool.detect import Format
from evolver.pool.record import MalformedError, Record, TruncatedError
from evolver.pool.rows import NOT_JSON, BadRowError

CHUNK_BYTES = 1 << 20
MAX_DIGITS = 18
LONGEST_WORD = 16  # of JSON, rounded up: "-Infinity" and a pair of \u escapes have to fit

_SPACE = re.compile(r"[ \t\r\n]*")


def read_records(stream: BinaryIO, format_: Format) -> Iterator[Record]:
    """Yield the rows of a pool of a known format.

    Raises:
        TruncatedError: The pool was cut.
        MalformedError: The pool cannot be read on.
        UnicodeDecodeError: The pool is not UTF-8.
    """
    if format_.kind == "Parquet":
        # pyarrow takes a third of a second to import, and only this format needs it
        from evolver.pool.parquet import read_parquet

        return read_parquet(stream)
    stream.seek(format_.start)
    if format_.kind == "JSON list":
        return _read_list(stream, wrapped=format_.key is not None)
    if format_.kind == "JSONL":
        return _read_lines_of_json(stream)
    return _read_text(stream)


def _read_text(stream: BinaryIO) -> Iterator[Record]:
    for where, line, _ in _lines(stream):
        yield Record(where, {"instruction": line})


def _read_lines_of_json(stream: BinaryIO) -> Iterator[Record]:
    """Yield one row a line; only a broken last line without its line end shows that the file was cut."""
    for where, line, ended in _lines(stream):
        row: object
        try:
            row = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            if not ended:
                raise TruncatedError(f"in {where}") from error
            row = BadRowError(NOT_JSON)
        yield Record(where, row)


def _lines(stream: BinaryIO) -> Iterator[tuple[str, str, bool]]:
    r"""Yield place, text and whether the line was ended, for each line that is not blank.

    Only ``\n`` and ``\r\n`` end a line: form feeds and U+2028 are part of the text.
    """
    for number, raw in enumerate(stream, 1):
        text = raw.decode("utf-8")
        line = text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
        if line.strip():
            yield f"line {number}", line, text.endswith("\n")


def _integer(digits: str) -> int | None:
    """Read an integer; one of thousands of digits would be an error of Python's, and serves nobody."""
    return int(digits) if len(digits) <= MAX_DIGITS else None


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
    rest = window.rest()
    if wrapped and not rest.endswith("}"):
        raise TruncatedError(f"after record {count}")
    if not wrapped and rest:
        raise MalformedError(f"goes on after the end of its list (record {count})")


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
