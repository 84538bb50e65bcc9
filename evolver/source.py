"""The syntax tree of what is loaded, and one way to write it down that no version of Python changes."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import CodeType, FunctionType

_NOT_TOLD = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_WRAPPING = ("__func__", "fget", "fset", "func", "__wrapped__")
_Places = Sequence[tuple[int | None, int | None]]


def tree_of(thing: FunctionType | type) -> ast.Module | None:
    """Return the tree of the file that a function or class stands in; ``None`` where there is no source.

    Cells of notebooks have a source; what was typed into a plain prompt, or made by ``exec``, may have none.
    """
    file = _file_of(thing)
    if file is None:
        return None
    names = thing.__globals__ if isinstance(thing, FunctionType) else None
    linecache.checkcache(file)
    return _parsed("".join(linecache.getlines(file, names)))


def function_node(function: FunctionType, tree: ast.Module) -> list[ast.AST]:
    """Find a function or lambda in the tree of its file; empty where the file has changed since.

    Of several lambdas on one line it is the one whose columns the code has; all of them where it has none
    (``python -X no_debug_ranges``).
    """
    code = function.__code__
    found: list[ast.AST] = [
        node
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
        )
        or (
            isinstance(node, _FUNCTIONS)
            and node.name == code.co_name
            and min((node.lineno, *(each.lineno for each in node.decorator_list))) == code.co_firstlineno
        )
    ]
    if len(found) > 1:
        places = _places(code)
        inside: list[ast.AST] = [
            node for node in found if isinstance(node, ast.Lambda) and _spans(node.body, places)
        ]
        return inside or found
    return found


def class_node(kind: type, tree: ast.Module) -> list[ast.AST]:
    """Find a class in the tree of its file; of several with its name those that its methods stand in."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__]
    if len(found) > 1:
        lines = {line for method in own_functions(kind) if (line := method.__code__.co_firstlineno)}
        inside = [
            node for node in found if any(node.lineno <= line <= (node.end_lineno or 0) for line in lines)
        ]
        found = inside or found
    return list[ast.AST](found)


def own_functions(kind: type) -> Iterator[FunctionType]:
    """Yield the functions written in a class's body, whatever they are wrapped in, in the order of their names."""
    for _, value in sorted(vars(kind).items()):
        for part in (
            value,
            *(getattr(value, name, None) for name in ("__func__", "fget", "fset", "func", "__wrapped__")),
        ):
            if isinstance(part, FunctionType) and _is_written(part, kind):
                yield part


def _is_written(function: FunctionType, kind: type) -> bool:
    """Tell a method of the class's own body from an inherited one, and from what dataclasses and Python 3.14 make."""
    made = function.__code__.co_filename == "<string>" or function.__name__.startswith("__annotate")
    here = function.__globals__.get("__name__") == kind.__module__
    return here and not made and function.__qualname__.startswith(f"{kind.__qualname__}.")


def statements_about(name: str, tree: ast.Module) -> list[ast.stmt]:
    """Return what a module says at its top level that gives a name its value, or changes what it holds."""
    return [statement for statement in tree.body if name in _touched(statement)]


def names_in(node: ast.AST) -> set[str]:
    """Return every name that is read, in nested functions and comprehensions as well."""
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }


def written(node: ast.AST) -> str:
    """Write a tree down without positions, comments and what differs between versions of Python."""
    out: list[str] = []
    left: list[object] = [node]
    while left:
        match left.pop():
            case str() as text:
                out.append(text)
            case ast.AST() as part:
                left.append(")")
                for field, value in reversed(list(_fields(part))):
                    left += [value, f" {field}="]
                left.append(f"({type(part).__name__}")
            case list() as parts:
                left += ["]", *reversed([_quoted(part) for part in parts]), "["]
            case tuple() as quoted:
                out.append(f"{quoted[0]!r},")
            case other:
                out.append(f"{other!r},")
    return "".join(out)


def _quoted(part: object) -> object:
    """A text inside a list is a value, not a piece of what is written."""
    return (part,) if isinstance(part, str) else part


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for field, value in ast.iter_fields(node):
        if field in _NOT_TOLD or value is None or value == []:
            continue
        if isinstance(node, ast.JoinedStr):
            yield field, _joined(value)
        else:
            yield field, _quoted(value)


def _joined(values: list[ast.expr]) -> list[ast.expr]:
    """Join the texts of an f-string that stand beside each other: where they are cut depends on the version."""
    made: list[ast.expr] = []
    for value in values:
        last = made[-1] if made else None
        if isinstance(value, ast.Constant) and isinstance(last, ast.Constant):
            made[-1] = ast.Constant(str(last.value) + str(value.value))
        elif not (isinstance(value, ast.Constant) and value.value == ""):
            made.append(value)
    return made


def _touched(statement: ast.stmt) -> set[str]:
    if isinstance(statement, _DEFINITIONS):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, _DEFINITIONS):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= _touched(node)
        elif isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found |= _root(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found |= _root(node.value.func)
    return found


def _root(node: ast.expr) -> set[str]:
    """The name that ``name.part[0].change`` begins with."""
    if isinstance(node, ast.Name):
        return set()
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _file_of(thing: FunctionType | type) -> str | None:
    if isinstance(thing, FunctionType):
        return thing.__code__.co_filename
    method = next(own_functions(thing), None)
    if method is not None:
        return method.__code__.co_filename
    return getattr(sys.modules.get(thing.__module__), "__file__", None)


@lru_cache(maxsize=8)
def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text) if text.strip() else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def _places(code: CodeType) -> _Places:
    return [(line, column) for line, _, column, _ in code.co_positions() if column]


def _spans(node: ast.expr, places: _Places) -> bool:
    start, end = (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
    inside = [start <= (line or 0, column or 0) < end for line, column in places if line is not None]
    return bool(inside) and all(inside)
