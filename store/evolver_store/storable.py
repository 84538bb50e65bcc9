"""What no database and no file of text can hold, told before it is handed to one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

_LARGEST: Final = (1 << 63) - 1
_LARGEST_COUNT: Final = (1 << 31) - 1  # what the columns of these names hold on PostgreSQL
_COUNTS: Final = frozenset(
    {"epoch", "attempt", "sample", "prompt_tokens", "completion_tokens", "reasoning_tokens"}
)
_DEEPEST: Final = 100  # levels of JSON; every reader of it stops somewhere
_PLAIN: Final = (str, int, float)  # tuples: a union is made anew each time it is written
_HELD: Final = (datetime, bytes)
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> bool:
    """Tell whether every database and file takes ``text``: no NUL, no lone surrogate."""
    return why_not_text(text) is None


def why_not_text(text: str) -> str | None:
    """Say what of a text no database takes, as in ``half a character``; ``None`` where there is nothing."""
    if "\0" in text:
        return "a NUL byte"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half a character (a lone surrogate)"
    return None


def made_storable(text: str) -> str:
    """Return a text with a replacement for each character that no database takes: for messages, not for data."""
    return text if storable(text) else _UNSTORABLE.sub("\ufffd", text)


def why_not_json(value: object, name: str) -> str | None:
    """Say which part of a value is no JSON, as in ``details['tags'] is a set``; ``None`` where all of it is.

    JSON is texts, finite numbers of up to 64 bits, booleans, None, lists, and dicts by text, in at most 100 levels.
    """
    return _why_not_json(value, name, _DEEPEST)


def _why_not_json(value: object, name: str, levels: int) -> str | None:
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, _PLAIN):
        return _why_not_plain(value, name, _LARGEST)
    if not levels:
        return f"{name} lies deeper than {_DEEPEST} levels"
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not storable(key):
                return f"{name} has the key {key!r}, which is no text"
            if why := _why_not_json(inner, f"{name}[{key!r}]", levels - 1):
                return why
        return None if isinstance(value, dict) else f"{name} is a {type(value).__name__}"
    if isinstance(value, list | tuple):
        found = (_why_not_json(inner, f"{name}[{at}]", levels - 1) for at, inner in enumerate(value))
        return next(filter(None, found), None)
    return f"{name} is a {type(value).__name__}"


def _why_not_plain(value: str | float, name: str, largest: int) -> str | None:
    if isinstance(value, str):
        why = why_not_text(value)
        return why and f"{name} holds {why}"
    if isinstance(value, int):
        return None if -largest <= value <= largest else f"{name} is a number of {value.bit_length()} bits"
    return None if math.isfinite(value) else f"{name} is {value}"


def why_unstorable(row: Mapping[str, Any]) -> str | None:
    """Say why a row cannot be stored on SQLite and on PostgreSQL alike; ``None`` where it can.

    Costs some microseconds. The words go well after "it cannot be stored: ".
    """
    for name, value in row.items():
        kind = type(value)
        if kind is str and value.isascii() and "\0" not in value:  # nearly every text, at half the time
            continue
        if value is None or isinstance(value, _HELD):
            continue
        if isinstance(value, _PLAIN):
            why = _why_not_plain(value, name, _LARGEST_COUNT if name in _COUNTS else _LARGEST)
        else:
            why = why_not_json(value, name)
        if why is not None:
            return why
    return None
