"""Which format a pool has, told from its first bytes; the name only breaks a tie or a promise."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from evolver.pool.columns import Columns
from evolver.pool.dialogue import looks_like_turns
from evolver.pool.foreign import refuse_binary_text, refuse_foreign_text, refuse_plain_text
from evolver.pool.record import NoPoolError
from evolver.pool.table import Dialect, find_dialect

HEAD_BYTES = 1 << 16
SAMPLE_LINES = 20

# "[Hint] Sort a list" is a line of text: a list begins with a value that JSON knows.
_LIST = re.compile(r'\[\s*(?:[\[{"\]]|\Z|(?:-?\d[\d.eE+-]*|true|false|null|NaN)\s*(?:,|\]?\s*\Z))')
_WRAPPED_LIST = re.compile(r'\{\s*"([^"\\]+)"\s*:\s*\[\s*[{\]]')
_SINGLE_OBJECT = re.compile(r'\{\s*(?:\r?\n\s*"|\Z|\})')
_ROW_FIELDS = frozenset({"instances"})

SHAPES = (
    "A pool is a table (CSV, TSV), a JSON list, JSONL, Parquet or Arrow of {instruction, input, output}, {prompt, "
    "completion}, {question, answer}, {problem, solution}, {conversations}, {messages} or {instruction, instances} "
    "rows, or plain text with one instruction a line."
)


@dataclass(frozen=True, slots=True)
class Format:
    """A format; ``start`` is the first byte of its rows: of the ``[`` for a JSON list.

    ``key`` names the list inside a JSON object that wraps it; ``dialect`` says how a table is written.
    """

    kind: Literal["empty", "JSON list", "JSON objects", "JSONL", "table", "plain text"]
    start: int = 0
    key: str | None = None
    dialect: Dialect | None = None


def detect(head: bytes, *, suffix: str = "", columns: Columns | None = None) -> Format:
    """Tell the format of a text from its first 64 KiB of UTF-8.

    Args:
        head: The beginning, without a byte-order mark; all there is where it is shorter than 64 KiB.
        suffix: The ending of the file's name, in lower case.
        columns: Knows which headings of a table are read.

    Raises:
        NoPoolError: It is something else: a page, a pointer, a repr, bytes that are no text.
    """
    refuse_binary_text(head)
    whole = len(head) < HEAD_BYTES
    text = head.decode("utf-8", errors="replace")
    body = text.lstrip()
    if not body:
        return Format("empty" if whole else "plain text")
    refuse_foreign_text(body, suffix)
    found = _json_format(body, len(text[: len(text) - len(body)].encode()), columns or Columns())
    if found is not None:
        return found
    if whole and _is_json(body):
        raise NoPoolError("has no known shape", SHAPES)  # a lone number or null
    dialect = find_dialect(text, whole=whole, suffix=suffix, is_known=(columns or Columns()).is_known)
    if dialect is not None:
        return Format("table", dialect=dialect)
    refuse_plain_text(body, suffix)
    return Format("plain text")


def _json_format(body: str, indent: int, columns: Columns) -> Format | None:
    if _LIST.match(body):
        if _begins_a_sentence(body):
            return None
        return Format("JSONL") if _lists_of_turns(body) else Format("JSON list", indent)
    if body.startswith("{"):
        return _object_format(body, indent, columns)
    return Format("JSONL") if _mostly_rows(body, columns) or _mostly_texts(body) else None


def _begins_a_sentence(body: str) -> bool:
    """Whether text follows a list on the first line: ``[3, 1, 2]: sort this``. Behind rows it is damage."""
    first = body.partition("\n")[0]
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(first)
    except (ValueError, RecursionError):
        return False
    return bool(first[end:].strip()) and not any(isinstance(one, dict) for one in value)


def _lists_of_turns(body: str) -> bool:
    """Whether each line is a conversation: a list of turns, and no list of rows."""
    first, _, rest = body.partition("\n")
    return bool(rest.strip()) and looks_like_turns(_load(first))


def _is_json(body: str) -> bool:
    try:
        json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _object_format(body: str, indent: int, columns: Columns) -> Format | None:
    """Tell JSONL, one object that wraps a list, objects over several lines, and text apart."""
    first, ended, _ = body.partition("\n")
    row = _load_object(first)
    if row is not None and _is_row(row, columns):
        return Format("JSON objects" if _is_transposed(row) else "JSONL")
    wrapped = _WRAPPED_LIST.match(body)
    if wrapped and wrapped[1] not in _ROW_FIELDS and not columns.is_known(wrapped[1]):
        ahead = body[: wrapped.end()].rindex("[")
        return Format("JSON list", indent + len(body[:ahead].encode()), wrapped[1])
    if row is not None or _mostly_rows(body, columns):
        return Format("JSONL")
    if _SINGLE_OBJECT.match(body):
        return Format("JSON objects", indent)
    # A broken or cut first line still shows that JSON was meant; "{x} is a set" does not.
    return Format("JSONL") if first.startswith('{"') or (not ended and '":' in first) else None


def _is_transposed(row: dict[str, object]) -> bool:
    """Whether an object holds columns: each of them a list, or an object by number, as pandas writes them."""
    return bool(row) and all(
        (isinstance(one, dict) and "0" in one) or (isinstance(one, list) and not looks_like_turns(one))
        for one in row.values()
    )


def _mostly_rows(body: str, columns: Columns) -> bool:
    """Whether half of the first complete lines are rows of JSONL, though some are broken."""
    lines = [line for line in body.split("\n", SAMPLE_LINES + 1)[: SAMPLE_LINES + 1] if line.strip()]
    found = sum(_is_row(_load_object(line) or {}, columns) for line in lines)
    return found > 0 and 2 * found >= len(lines) - 1


def _mostly_texts(body: str) -> bool:
    """Whether all of the first complete lines are JSON strings."""
    lines = [line for line in body.split("\n", SAMPLE_LINES + 1)[: SAMPLE_LINES + 1] if line.strip()]
    found = sum(line.startswith('"') and isinstance(_load(line), str) for line in lines)
    return found > 0 and found >= len(lines) - (len(lines) > 1)


def _is_row(row: dict[str, object], columns: Columns) -> bool:
    return any(name in _ROW_FIELDS or columns.is_known(name) for name in row)


def _load_object(line: str) -> dict[str, object] | None:
    value = _load(line) if line.lstrip().startswith("{") else None
    return value if isinstance(value, dict) else None


def _load(line: str) -> object:
    try:
        value: object = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return value
