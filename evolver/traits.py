"""What an object of somebody's is set to, as a digest that holds none of its secrets."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from hashlib import blake2b
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from evolver.digest import digest_of
from evolver.quoting import PLACE, public_url
from evolver.source import function_node, own_functions, tree_of

_SECRET = re.compile(
    r"key(?!word|board)|token|secret|passw|passphrase|credential|cookie|bearer|signature|auth(?!ors?(?![a-z]))",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:stop|eos|bos|pad|unk)[_-]?tokens?$|stop_token_ids$", re.IGNORECASE)
_SHAPES_NOTHING = frozenset(
    {
        *(
            "name",
            "cache",
            "callbacks",
            "config",
            "config_factories",
            "custom_input_type",
            "custom_output_type",
            "metadata",
        ),
        *(
            "profile",
            "rate_limiter",
            "tags",
            "verbose",
            "max_retries",
            "timeout",
            "request_timeout",
            "async_client",
        ),
        *(
            "client",
            "root_client",
            "exceptions_to_handle",
            "retry_exception_types",
            "exponential_jitter_params",
        ),
        *("max_attempt_number", "wait_exponential_jitter", "default_request_timeout"),
    }
)
"""Fields of LangChain's objects that change no completion, or stand for what another field says."""

_CHANGING = frozenset(
    {
        *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft"),
        *("remove", "reverse", "setdefault", "sort", "update"),
    }
)
_DEEPEST = 8
_LEAST = 8
"""Characters of a secret that is looked for in other texts; a shorter one is a word as often as not."""

_Plain = Any


def settings_of(thing: object, *, leaving: frozenset[str] = frozenset()) -> str:
    """Return 16 hex digits of what tells an object from another of its class; an empty text where nothing does.

    Told are the public attributes, and those of its class: texts, numbers, switches, containers of them, data classes,
    pydantic models and the objects that these hold. A function counts by what it does, an object of an unknown kind by
    its class, and by its ``base_url`` if it has one. What ``complete`` itself changes, such as a count of calls, is no
    setting.

    No secret is told: no text under the name of a key, a token, a password, an authorization or the like, nothing
    marked as secret, no user, password or key in an address, and none of these where it stands in another text.

    Args:
        thing: A model.
        leaving: Names of attributes that are told elsewhere.
    """
    secrets: set[str] = set()
    leaving |= _changed_by(thing, "complete")
    told = {name: _told(value, name, 0, secrets) for name, value in _attributes(thing) if name not in leaving}
    told = {name: value for name, value in told.items() if value is not None}
    if not told:
        return ""
    text = json.dumps(told, sort_keys=True)
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(json.dumps(secret)[1:-1], PLACE)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _told(thing: Any, name: str, depth: int, secrets: set[str]) -> _Plain:
    """Write a value as JSON takes it; ``None`` for nothing and for secrets."""
    if thing is None or isinstance(thing, bool | int):
        return thing
    if isinstance(thing, Enum):
        return thing.name
    if isinstance(thing, float | complex):
        return repr(thing)
    if hasattr(thing, "get_secret_value"):
        secrets |= _worth(thing.get_secret_value())
        return None
    secret = _SECRET.search(name) is not None and _NO_SECRET.search(name) is None
    if isinstance(thing, str | bytes):
        if secret:
            secrets |= _worth(thing)
            return None
        return _address(thing) if isinstance(thing, str) else thing.hex()
    if depth > _DEEPEST:
        return type(thing).__qualname__
    if isinstance(thing, Mapping):
        return {
            str(key): _told(value, f"{name} {key}" if secret else str(key), depth + 1, secrets)
            for key, value in thing.items()
        }
    if isinstance(thing, list | tuple):
        return [_told(value, name, depth + 1, secrets) for value in thing]
    if isinstance(thing, set | frozenset):
        return sorted(json.dumps(_told(value, name, depth + 1, secrets), sort_keys=True) for value in thing)
    if isinstance(thing, FunctionType | MethodType):
        return None if secret else digest_of(thing)
    if isinstance(thing, type):
        return thing.__qualname__
    return _told_object(thing, depth, secrets)


def _told_object(thing: object, depth: int, secrets: set[str]) -> _Plain:
    kind = type(thing).__qualname__
    if _is_open(thing):
        return [kind, {each: _told(value, each, depth + 1, secrets) for each, value in _attributes(thing)}]
    url = getattr(thing, "base_url", None)
    return kind if url is None else [kind, _address(str(url))]


def _is_open(thing: object) -> bool:
    """Tell objects that are made of named values from those that do something, whose attributes are their own."""
    return (
        dataclasses.is_dataclass(thing)
        or isinstance(thing, SimpleNamespace)
        or hasattr(type(thing), "model_fields")
        or hasattr(thing, "ainvoke")
    )


def _attributes(thing: object) -> Iterator[tuple[str, object]]:
    """Yield the public attributes of an object; of a pydantic model those that were set."""
    if hasattr(type(thing), "model_fields"):
        yield from _fields(thing)
        return
    owners = [owner for owner in reversed(type(thing).__mro__) if owner is not object]
    names = {name: None for owner in owners for name in (*vars(owner), *_slots(owner))} | dict.fromkeys(
        getattr(thing, "__dict__", {})
    )
    for name in names:
        if not name.startswith("_") and not _is_code(getattr(type(thing), name, None)):
            yield name, getattr(thing, name, None)


def _fields(thing: Any) -> Iterator[tuple[str, object]]:
    """Yield the fields of a pydantic model that were set, and the address in effect, which may be a variable's."""
    chain = hasattr(thing, "ainvoke") and not hasattr(
        thing, "_agenerate"
    )  # a step of it may be there by default
    for name, value in (vars(thing) | (thing.model_extra or {})).items():
        given = chain or name in thing.model_fields_set or (isinstance(value, str) and "://" in value)
        if given and not name.startswith("_") and name not in _SHAPES_NOTHING:
            yield name, value
    client = getattr(thing, "root_async_client", None) or getattr(thing, "_client", None)
    url = getattr(getattr(client, "_client", client), "base_url", None)
    if url is not None:
        yield "asked at", str(url)


def _slots(owner: type) -> tuple[str, ...]:
    slots = vars(owner).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is_code(value: object) -> bool:
    """Tell what a class does from what it is set to; a slot is a place for a value."""
    return isinstance(value, FunctionType | MethodType | property | classmethod | staticmethod) or (
        hasattr(type(value), "__get__") and type(value).__name__ != "member_descriptor"
    )


def _worth(secret: object) -> set[str]:
    text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else str(secret)
    return {part for part in (text, *text.split()) if len(part) >= _LEAST}


def _address(text: str) -> str:
    """Take user, password and keys out of an address; any other text stays."""
    if not re.match(r"[a-z][a-z0-9+.-]*://", text, re.IGNORECASE):
        return text
    try:
        asked = [pair for pair in parse_qsl(urlsplit(text).query) if not _SECRET.search(pair[0])]
    except ValueError:
        asked = []
    return public_url(text) + (f"?{urlencode(asked)}" if asked else "")


def _changed_by(thing: object, method: str) -> frozenset[str]:
    """Return the attributes that a method changes, or a method of the same object that it calls."""
    methods = {each.__name__: each for owner in reversed(type(thing).__mro__) for each in _methods(owner)}
    found: set[str] = set()
    todo, done = [method], set[str]()
    while todo:
        name = todo.pop()
        if name in done or name not in methods:
            continue
        done.add(name)
        tree = tree_of(methods[name])
        for node in [] if tree is None else function_node(methods[name], tree):
            for part in ast.walk(node):
                found |= _change(part)
                todo += _of_self(part.func) if isinstance(part, ast.Call) else ()
    return frozenset(found)


def _methods(owner: type) -> Iterator[FunctionType]:
    return iter(()) if owner is object else own_functions(owner)


def _change(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return _of_self(node)
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return _of_self(node.value)
    called = node.func if isinstance(node, ast.Call) else None
    return _of_self(called.value) if isinstance(called, ast.Attribute) and called.attr in _CHANGING else set()


def _of_self(node: ast.expr) -> set[str]:
    mine = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return {node.attr} if mine and isinstance(node, ast.Attribute) else set()
