"""What is taken from a server before its answer counts as malformed: bytes and parts.

A completion is some kilobytes; whoever sends more than this is broken or wants to fill the memory. See
``docs/providers.md`` for what a user is told.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from evolver.answers.failures import malformed

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of one answer, after decompression."""

_FEW_BYTES = 1024 * 1024
_BLANK = b" \t\r\n\xef\xbb\xbf"
_MOST_PARTS = 1_000_000
"""Objects, lists and members of one answer: each may cost a hundred times its bytes in memory."""


async def within(chunks: AsyncIterator[bytes], most: int, who: str) -> AsyncIterator[bytes]:
    """Yield the pieces of an answer to its end, or to ``most`` bytes.

    Raises:
        TransientModelError: It is longer; the rest is not read.
    """
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise malformed(f"more than {most:,} bytes", who=who)
        yield chunk


async def whole(chunks: AsyncIterator[bytes], who: str) -> bytes:
    """Read an answer of at most :data:`MOST_BYTES` to its end.

    Raises:
        TransientModelError: It is longer; the rest is not read.
    """
    # Counted here and not by within(): one generator less on the path of every call.
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MOST_BYTES:
            raise malformed(f"more than {MOST_BYTES:,} bytes", who=who)
        parts.append(chunk)
    return b"".join(parts)


def json_object(content: bytes, who: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        TransientModelError: It is none, or has more parts or levels than any answer.
    """
    if len(content) > _FEW_BYTES and sum(map(content.count, (b",", b"[", b"{"))) > _MOST_PARTS:
        raise malformed(f"JSON of more than {_MOST_PARTS:,} parts", who=who)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise malformed(_kind(content), who=who, said=content.strip()) from error
    if not isinstance(found, dict):
        raise malformed("JSON that is not an object", who=who, said=content)
    return found


def _kind(content: bytes) -> str:
    """Say what a body is that is no JSON, as far as its first characters tell."""
    start = content[:_FEW_BYTES].lstrip(_BLANK)[:15].lower()
    if start.startswith((b"data:", b"event:", b"id:", b"retry:", b": ")):
        return "a stream of events, though none was asked for"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page instead of JSON"
    return "a body that is not JSON" if start else "nothing"
