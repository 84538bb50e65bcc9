"""The digest of what somebody's code does, by which a run tells a changed mutator or rule from the same one."""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from hashlib import blake2b
from os import PathLike, fspath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

from evolver.source import (
    class_node,
    function_node,
    names_in,
    own_functions,
    statements_about,
    tree_of,
    written,
)

_MAX_DEPTH = 8
"""Containers in containers, functions called by functions."""

_SCALARS = (str, int, float, complex, bytes)
_SHOWN = frozenset(
    {
        "builtins.range",
        "builtins.slice",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "decimal.Decimal",
        "fractions.Fraction",
        "uuid.UUID",
    }
)
"""Kinds whose ``repr`` is their value in every process."""


def digest_of(thing: object) -> str:
    """Return 16 hex digits that change when what ``thing`` does changes.

    They are equal in every process, on Python 3.11 to 3.14, and whatever the comments and the layout of the source.

    Read are: the syntax tree of the source; default arguments, values closed over, bound arguments and an instance's
    attributes; and what its module says about each name that is used, in nested functions, lambdas and comprehensions
    as well, and so on from there: helper functions, classes, and constants with their values. What comes from the
    standard library counts by its name; from other modules plain values count, everything else by its name. An
    object of an unknown kind counts by its class and its attributes.

    Where there is no source (typed in, or made by ``exec``) the byte code stands for it, which is equal in every
    process, but not between versions of Python.
    """
    hasher = blake2b(digest_size=8)
    for piece in _describe(thing, 0, set()):
        data = piece.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


_Seen = set[object]
"""The functions, classes and names that were told already."""


def _describe(thing: object, depth: int, seen: _Seen) -> Iterator[str]:
    """Yield the pieces of text that ``thing`` does its work by."""
    deeper = depth + 1
    if isinstance(thing, Enum):
        yield f"{type(thing).__qualname__}.{thing.name}"
    elif thing is None or isinstance(thing, _SCALARS):
        yield f"{type(thing).__name__} {thing!r}"
    elif depth > _MAX_DEPTH:
        yield type(thing).__qualname__
    elif isinstance(thing, Mapping):
        yield f"mapping {len(thing)}"
        yield from _describe_all((part for pair in thing.items() for part in pair), deeper, seen)
    elif isinstance(thing, (set, frozenset)):
        yield from sorted("|".join(_describe(item, deeper, seen)) for item in thing)
    elif isinstance(thing, (list, tuple)):
        yield f"{type(thing).__name__} {len(thing)}"
        yield from _describe_all(thing, deeper, seen)
    elif isinstance(thing, functools.partial):
        yield from _describe_all((thing.func, thing.args, thing.keywords), deeper, seen)
    elif isinstance(thing, MethodType):
        yield from _describe_all((thing.__func__, thing.__self__), deeper, seen)
    elif isinstance(thing, FunctionType):
        yield from _describe_function(thing, deeper, seen)
    elif isinstance(thing, type):
        yield from _describe_class(thing, deeper, seen)
    elif isinstance(thing, (ModuleType, BuiltinFunctionType)):
        yield thing.__name__
    else:
        yield from _describe_object(thing, deeper, seen)


def _describe_all(things: Iterable[object], depth: int, seen: _Seen) -> Iterator[str]:
    for thing in things:
        yield from _describe(thing, depth, seen)


def _describe_object(thing: object, depth: int, seen: _Seen) -> Iterator[str]:
    kind = type(thing)
    if f"{kind.__module__}.{kind.__qualname__}" in _SHOWN:
        yield f"{kind.__name__} {thing!r}"
    elif isinstance(thing, PathLike):
        yield f"path {fspath(thing)!r}"
    elif isinstance(thing, re.Pattern):
        yield f"pattern {thing.pattern!r} {int(thing.flags)}"
    elif isinstance(wrapped := getattr(thing, "__wrapped__", None), FunctionType):
        yield kind.__qualname__
        yield from _describe(wrapped, depth, seen)
    elif id(thing) in seen:
        yield kind.__qualname__
    else:
        seen.add(id(thing))
        yield from _describe_all((kind, _attributes(thing)), depth, seen)


def _describe_function(function: FunctionType, depth: int, seen: _Seen) -> Iterator[str]:
    """Yield a function's tree and every value it reads that is not an argument."""
    if id(function) in seen:
        yield function.__qualname__
        return
    seen.add(id(function))
    if _is_standard(str(function.__globals__.get("__name__"))):
        yield function.__qualname__
        yield from _describe_all(_closed_over(function), depth, seen)
        return
    tree = tree_of(function)
    nodes = [] if tree is None else function_node(function, tree)
    yield from map(written, nodes) if nodes else _describe_code(function.__code__)
    yield from _describe_all((function.__defaults__, function.__kwdefaults__), depth, seen)
    yield from _describe_all(_closed_over(function), depth, seen)
    names = set().union(*map(names_in, nodes)) if nodes else set(_names_of(function.__code__))
    yield from _follow(names, function.__globals__, tree, depth, seen)


def _describe_class(kind: type, depth: int, seen: _Seen) -> Iterator[str]:
    yield kind.__qualname__
    if kind in seen or _is_standard(kind.__module__):
        return
    seen.add(kind)
    tree = tree_of(kind)
    nodes = [] if tree is None else class_node(kind, tree)
    yield from map(written, nodes)
    for method in own_functions(kind):
        if tree is None or function_node(method, tree):
            yield from _describe_function(method, depth, seen)
    plain = {name: value for name, value in vars(kind).items() if not _is_dunder(name) and _is_plain(value)}
    yield from _describe(dict(sorted(plain.items())), depth, seen)
    names = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
    yield from _follow(set().union(*map(names_in, nodes)), names, tree, depth, seen)


def _follow(
    names: set[str], known: Mapping[str, object], tree: ast.Module | None, depth: int, seen: _Seen
) -> Iterator[str]:
    """Yield what a module says of the names that are its own, and what these name in turn."""
    for name in sorted(names):
        told = id(known), name
        if name not in known or told in seen or (_is_dunder(name) and name != "__doc__"):
            continue
        seen.add(told)
        yield name
        said = [] if tree is None else statements_about(name, tree)
        value = known[name]
        yield from map(written, said)
        if name == "__doc__":
            yield "" if tree is None else repr(ast.get_docstring(tree, clean=False))
        elif any(isinstance(each, ast.Import | ast.ImportFrom) for each in said) or isinstance(
            value, ModuleType
        ):
            yield from _imported(said, value, depth, seen)
        elif said:
            if _is_plain(value) and not _begins_empty(said[0]):
                yield from _describe(value, depth, seen)
            yield from _follow(set().union(*map(names_in, said)), known, tree, depth, seen)
        elif _is_plain(value) or getattr(value, "__module__", None) == known.get("__name__"):
            yield from _describe(value, depth, seen)


def _imported(said: list[ast.stmt], value: object, depth: int, seen: _Seen) -> Iterator[str]:
    """A plain value counts where it is no part of Python, whose own differ from version to version."""
    modules = [each.module or "" for each in said if isinstance(each, ast.ImportFrom)]
    if _is_plain(value) and not any(map(_is_standard, modules)):
        yield from _describe(value, depth, seen)


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names and module != "__main__"


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _is_plain(value: object, depth: int = 0) -> bool:
    """Tell values that are the same wherever they come from."""
    if value is None or isinstance(value, _SCALARS):
        return True
    if depth > _MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(_is_plain(part, depth + 1) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple | set | frozenset) and all(
        _is_plain(part, depth + 1) for part in value
    )


def _begins_empty(statement: ast.stmt) -> bool:
    """Tell a container that is filled later, as a cache is: its value says nothing of what the code does."""
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call):
        return (
            isinstance(value.func, ast.Name) and value.func.id in ("dict", "list", "set") and not value.args
        )
    return (isinstance(value, ast.Dict) and not value.keys) or (
        isinstance(value, ast.List) and not value.elts
    )


def _closed_over(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet: a function that calls itself, looked at while it is being made
            yield None


def _describe_code(code: CodeType) -> Iterator[str]:
    """Yield a code object's instructions, names and constants."""
    yield f"{code.co_code!r} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _describe_code(constant)
        else:
            yield from _describe(constant, _MAX_DEPTH, set())


def _names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)


def _attributes(thing: object) -> dict[str, object]:
    """Return an instance's attributes, those in slots included, without what was worked out of others and kept."""
    slots = (name for owner in type(thing).__mro__ for name in getattr(owner, "__slots__", ()))
    found = {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(
        thing, "__dict__", {}
    )
    return {
        name: value
        for name, value in found.items()
        if not isinstance(getattr(type(thing), name, None), functools.cached_property)
    }
