"""The keys that somebody's object holds, wherever it holds them, so that no message repeats one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from pydantic import SecretBytes, SecretStr

from evolver.quoting import is_secret_name

_SECRET_HEADER = re.compile(r"auth|key|token|secret|password|cookie", re.IGNORECASE)
_DEEPEST = 8
_MOST = 5_000
_Key = str | Callable[[], object]


class Keys:
    """The keys of an object; those that it makes by calling a function are asked for each time."""

    def __init__(self, chat: object) -> None:
        self._chat = chat
        self._found: list[_Key] | None = None

    def read(self) -> tuple[str, ...]:
        """Return every key; looks through the object the first time."""
        if self._found is None:
            self._found = list(_keys(self._chat, "", 0, set()))
        return tuple(text for key in self._found if (text := key if isinstance(key, str) else _called(key)))


def _keys(thing: Any, name: str, depth: int, seen: set[int]) -> Iterator[_Key]:
    """Yield what stands under the name of a key, or is marked as one: in bindings, retries, fallbacks, SDK clients."""
    if isinstance(thing, (SecretStr, SecretBytes)):
        value = thing.get_secret_value()
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")
        return
    secret = is_secret_name(name) or name.startswith("header ")
    if isinstance(thing, (str, bytes)):
        text = thing if isinstance(thing, str) else thing.decode("utf-8", "replace")
        yield from [text, *text.split()] if secret else []
        return
    if isinstance(thing, (FunctionType, MethodType, BuiltinFunctionType)):
        if secret and not inspect.iscoroutinefunction(thing):
            yield thing
        return
    if depth > _DEEPEST or id(thing) in seen or len(seen) > _MOST or isinstance(thing, (type, ModuleType)):
        return
    seen.add(id(thing))
    for inner, value in _parts(thing, name):
        yield from _keys(value, inner, depth + 1, seen)


def _parts(thing: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Mapping):
        headers = "header" in name.lower()
        for key, value in list(thing.items()):
            yield f"header {key}" if headers and _SECRET_HEADER.search(str(key)) else str(key), value
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for value in list(thing):
            yield name, value
    else:
        yield from list(getattr(thing, "__dict__", {}).items())
        yield from list((getattr(thing, "__pydantic_private__", None) or {}).items())


def _called(key: Callable[[], object]) -> str | None:
    try:
        value = key()
    except Exception:  # noqa: BLE001 - the user's own function; a message is being made, which must not fail
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if inspect.iscoroutine(value):
        value.close()
    return value if isinstance(value, str) else None
