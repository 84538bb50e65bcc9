"""Which format a pool has, told from its first bytes and never from its name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import BinaryIO, Literal

from evolver.pool.rows import KNOWN_FIELDS, LIST_FIELDS

HEAD_BYTES = 1 << 16
SAMPLE_LINES = 20
BOM = b"\xef\xbb\xbf"

# "[Hint] Sort a list" is a line of text: a list begins with a value that JSON knows.
_LIST = re.compile(r'\[\s*(?:[\[{"\]]|\Z|(?:-?\d[\d.eE+-]*|true|false|null|NaN)\s*(?:,|\]?\s*\Z))')
_WRAPPED_LIST = re.compile(r'\{\s*"([^"\\]+)"\s*:\s*\[\s*[{\]]')
_SINGLE_OBJECT = re.compile(r'\{\s*(?:\r?\n\s*"|\Z|\})')
_TABLE_HEADER = re.compile(r'"?(\w+)"?(?:\s*[,;\t]\s*"?\w+"?)+')


@dataclass(frozen=True, slots=True)
class Format:
    """A format; ``start`` is the first byte of its rows: of the ``[`` for a JSON list, else behind the mark.

    ``key`` names the list inside a JSON object that wraps it.
    """

    kind: Literal["empty", "unknown", "Parquet", "JSON list", "JSONL", "plain text"]
    start: int = 0
    key: str | None = None


def detect(stream: BinaryIO) -> Format:
    """Tell the format from the first 64 KiB; leaves the stream wherever it is.

    A compressed or table file is ``unknown``; one that is no text at all may pass as plain text, and fails
    when it is decoded.
    """
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    if head.startswith(b"PAR1"):
        return Format("Parquet")
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ")):
        return Format("unknown")
    start = len(BOM) if head.startswith(BOM) else 0
    text = head[start:].decode("utf-8", errors="replace")
    body = text.lstrip()
    if not body:
        return Format("plain text" if len(head) == HEAD_BYTES else "empty", start)
    indent = len(text[: len(text) - len(body)].encode())
    if _LIST.match(body):
        if _begins_a_sentence(body):
            return Format("plain text", start)
        return Format("JSON list", start + indent)
    if body.startswith("{"):
        return _object_format(body, start, indent)
    if _mostly_rows(body):
        return Format("JSONL", start)
    if len(head) < HEAD_BYTES and _is_json(body):
        return Format("unknown")  # a lone number, text or null: neither a list nor an object comes this far
    header = _TABLE_HEADER.fullmatch(body.partition("\n")[0].strip())
    if header and header[1].lower() in KNOWN_FIELDS | {"id", "idx", "input"}:
        return Format("unknown")
    return Format("plain text", start)


def _begins_a_sentence(body: str) -> bool:
    """Whether text follows a list on the first line: ``[3, 1, 2]: sort this``. Behind rows it is damage."""
    first = body.partition("\n")[0]
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(first)
    except (ValueError, RecursionError):
        return False
    return bool(first[end:].strip()) and not any(isinstance(one, dict) for one in value)


def _is_json(body: str) -> bool:
    try:
        json.loads(body, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _object_format(body: str, start: int, indent: int) -> Format:
    """Tell JSONL, one object that wraps a list, one object over several lines, and text apart."""
    first, ended, _ = body.partition("\n")
    row = _load_object(first)
    if row is not None and row.keys() & KNOWN_FIELDS:
        return Format("JSONL", start)
    wrapped = _WRAPPED_LIST.match(body)
    if wrapped and wrapped[1] not in LIST_FIELDS:
        ahead = body[: wrapped.end()].rindex("[")
        return Format("JSON list", start + indent + len(body[:ahead].encode()), wrapped[1])
    if row is not None or _mostly_rows(body):
        return Format("JSONL", start)
    if _SINGLE_OBJECT.match(body):
        return Format("unknown")
    # A broken or cut first line still shows that JSON was meant; "{x} is a set" does not.
    return Format("JSONL" if first.startswith('{"') or (not ended and '":' in first) else "plain text", start)


def _mostly_rows(body: str) -> bool:
    """Whether half of the first complete lines are rows of JSONL, though some are broken."""
    lines = [line for line in body.split("\n")[: SAMPLE_LINES + 1] if line.strip()]
    found = sum(bool((_load_object(line) or {}).keys() & KNOWN_FIELDS) for line in lines)
    return found > 0 and 2 * found >= len(lines) - 1


def _load_object(line: str) -> dict[str, object] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(line, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
