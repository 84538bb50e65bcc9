"""Finding what users bring (``file.py:Name``, ``module:Name``), and the digest of what it does."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from tokenize import TokenError
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

from evolver.errors import PluginError

_MAX_DEPTH = 8  # containers in containers, functions called by functions


def load_object(spec: str) -> object:
    """Return the object that ``file.py:Name`` or ``module:Name`` names; ``Name`` may hold dots.

    A file is run once for as long as its bytes stay the same, without a change to ``sys.path``: what it
    imports must be installed.

    Raises:
        PluginError: The spec is no such pair, the file or module is not there or raises, or the name is not
            in it.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise PluginError(
            f"{spec!r} names nothing that can be loaded; nothing was run. Write file.py:Name or module:Name."
        )
    module = _load_file(Path(place), spec) if place.endswith(".py") else _load_module(place, spec)
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in vars(module) if not known.startswith("_")]
            raise PluginError(
                f"{place} has no {name!r}; nothing was run.{did_you_mean(name, public)} "
                "Define it there, or name one that is."
            )
        found = getattr(found, part)
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` with a leading space, or an empty text where nothing is near."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def digest_of(thing: object) -> str:
    """Return 16 hex digits that change when what ``thing`` does changes, and are equal in every process.

    Read are: the source (the code where there is no source), default arguments, values closed over, bound
    arguments, an instance's attributes, and the functions and plain constants of its own module that a
    function names. What it takes from other modules counts by its name only.
    """
    hasher = blake2b(digest_size=8)
    for piece in _describe(thing, 0, set()):
        data = piece.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


def _load_file(path: Path, spec: str) -> ModuleType:
    """Run a Python file as a module of its own; its name carries the digest of its bytes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PluginError(
            f"{path} cannot be read ({error.strerror}); nothing was run. "
            f"Mend the path in {spec!r}, which is taken from the working directory."
        ) from error
    resolved = path.resolve()
    digest = blake2b(bytes(resolved) + b"\0" + content, digest_size=8).hexdigest()
    module_name = f"evolver_loaded_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    module_spec = importlib.util.spec_from_file_location(module_name, resolved)
    if module_spec is None:
        raise PluginError(f"{path} is no Python file; nothing was run. Name one in {spec!r}.")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[module_name] = module  # dataclasses and pickle look a class's module up there
    try:
        exec(compile(content, str(resolved), "exec"), module.__dict__)  # noqa: S102 - the user's own file, named by them
    except Exception as error:
        del sys.modules[module_name]
        raise PluginError(
            f"{path} raised {_in_words(error)} when it was loaded; nothing was run. Mend the file."
        ) from error
    return module


def _load_module(name: str, spec: str) -> ModuleType:
    """Import an installed module."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise PluginError(
            f"the module {name!r} cannot be imported: {_in_words(error)}; nothing was run. "
            f"Install it where evolver is installed, or write file.py:Name instead of {spec!r}."
        ) from error


def _in_words(error: Exception) -> str:
    """Name an error with its message, on one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _describe(thing: object, depth: int, seen: set[int]) -> Iterator[str]:
    """Yield the pieces of text that ``thing`` does its work by; ``seen`` holds the functions already told."""
    deeper = depth + 1
    if thing is None or isinstance(thing, (str, int, float, complex, bytes)):
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
    elif isinstance(thing, (type, ModuleType, BuiltinFunctionType)):
        yield thing.__name__
        if isinstance(thing, type):
            yield _source(thing) or ""
            methods = (value for value in vars(thing).values() if isinstance(value, FunctionType))
            yield from _describe_all(methods, deeper, seen)
    else:
        yield from _describe_all((type(thing), _attributes(thing)), deeper, seen)


def _describe_all(things: Iterable[object], depth: int, seen: set[int]) -> Iterator[str]:
    """Yield the pieces of several things, one after the other."""
    for thing in things:
        yield from _describe(thing, depth, seen)


def _describe_function(function: FunctionType, depth: int, seen: set[int]) -> Iterator[str]:
    """Yield a function's source and every value it reads that is not an argument."""
    yield function.__qualname__
    if id(function) in seen:
        return
    seen.add(id(function))
    code = function.__code__
    source = _source(function)
    yield from [source] if source is not None else _describe_code(code)
    cells = (cell.cell_contents for cell in function.__closure__ or ())
    yield from _describe_all((function.__defaults__, function.__kwdefaults__, *cells), depth, seen)
    for name in sorted(set(code.co_names) & function.__globals__.keys()):
        value = function.__globals__[name]
        own = isinstance(value, FunctionType) and value.__module__ == function.__module__
        if own or isinstance(value, (str, int, float, bytes, tuple, frozenset)):
            yield name
            yield from _describe(value, depth, seen)


def _describe_code(code: CodeType) -> Iterator[str]:
    """Yield a code object's instructions, names and constants."""
    yield f"{code.co_code!r} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _describe_code(constant)
        else:
            yield from _describe(constant, _MAX_DEPTH, set())


def _attributes(thing: object) -> dict[str, object]:
    """Return an instance's attributes, those in slots included."""
    slots = (name for owner in type(thing).__mro__ for name in getattr(owner, "__slots__", ()))
    found = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    return {**found, **getattr(thing, "__dict__", {})}


def _source(thing: FunctionType | type) -> str | None:
    """Return the source, or ``None`` where it was typed in, compiled away, or is not in its file any more."""
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError, SyntaxError, TokenError):
        return None
