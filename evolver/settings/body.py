"""What may stand in the part of a request's body that is the user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_OURS: Final = {
    "model": "model",
    "messages": "system",
    "system": "system",
    "temperature": "temperature",
    "top_p": "top_p",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
}
"""Fields that evolver writes, and the setting that each has."""

_STREAMS: Final = frozenset({"stream", "stream_options", "n"})
_SECRET: Final = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|secret|password|passwd|authorization|access[_-]?token|auth[_-]?token)$",
    re.IGNORECASE,
)


def why_no_body(body: object) -> str | None:
    """Return why something cannot be sent beside what evolver sends, ``None`` where it can.

    Keys are refused by the names of their fields, because a body is stored with the run and told of.
    """
    if not isinstance(body, Mapping) or not all(isinstance(name, str) for name in body):
        return 'a table is needed, such as {"top_k": 20}'
    for name in body:
        if name in _OURS:
            return f"{name!r} has a setting of its own, {_OURS[name]}"
        if name in _STREAMS:
            return f"{name!r} changes what comes back, which would not be read"
    if any(_SECRET.search(name) for name in _names(body)):
        return "it holds a key, and would be stored; name the variable that holds it with key_variable"
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "it holds what is no JSON"
    return None


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _names(inner)
