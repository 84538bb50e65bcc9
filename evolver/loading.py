"""Finding what users bring: ``file.py:Name``, ``module:Name``."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

from evolver.errors import PluginError


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
    text = importlib.util.decode_source(content)
    # Tracebacks and digests are to show what was run, whatever becomes of the file.
    linecache.cache[str(resolved)] = (len(text), None, text.splitlines(keepends=True), str(resolved))
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
