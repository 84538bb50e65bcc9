"""The ``@mutator`` decorator: a mutator from one function, or from a class of one's own."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Protocol, TypeVar, overload

from evolver.errors import PluginError
from evolver.plugins.protocol import Prompt
from evolver.text import unwrap

PromptFunction = Callable[[str], str | Prompt] | Callable[[str, Random], str | Prompt]
_Class = TypeVar("_Class", bound=type)

OWN_FAMILY = "custom"
_LABELS = ("Rewritten Prompt", "Created Prompt", "New Prompt")


def plain_parse(completion: str) -> str:
    """Take the whole completion, without a label, quotes or a fence around it."""
    return unwrap(completion, *_LABELS)


class FunctionMutator:
    """A mutator made from a function that returns the prompt; it can still be called like the function."""

    def __init__(self, function: PromptFunction, fields: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self.name: str = function.__name__
        self.family: str = OWN_FAMILY
        self.version: int = 1
        self.weight: float = 1
        self.markers: tuple[str, ...] = ()
        for field, value in fields.items():
            setattr(self, field, value)
        self._ask: Callable[[str, Random], str | Prompt] = with_rng(
            function, f"the mutator {self.name!r} ({describe_place(function)})"
        )

    __name__: str
    __qualname__: str

    def prompt(self, instruction: str, rng: Random) -> str | Prompt:
        """Call the function, with ``rng`` if it takes one."""
        return self._ask(instruction, rng)

    def parse(self, completion: str) -> str:
        """Take the whole completion, without a label, quotes or a fence around it."""
        return plain_parse(completion)

    def __call__(self, instruction: str, rng: Random | None = None) -> str | Prompt:
        """Call the function as it was written, to try it; without ``rng``, a generator seeded with 0."""
        return self._ask(instruction, Random(0) if rng is None else rng)

    def __reduce__(self) -> str:
        """Pickle by name, as functions are."""
        return self.__qualname__


class _Decorator(Protocol):
    @overload
    def __call__(self, target: _Class, /) -> _Class: ...
    @overload
    def __call__(self, target: PromptFunction, /) -> FunctionMutator: ...


@overload
def mutator(target: _Class, /) -> _Class: ...
@overload
def mutator(target: PromptFunction, /) -> FunctionMutator: ...
@overload
def mutator(
    *,
    family: str = ...,
    weight: float = ...,
    name: str | None = ...,
    version: int = ...,
    markers: Sequence[str] = ...,
    sampling: Mapping[str, float | None] = ...,
) -> _Decorator: ...
def mutator(target: Any = None, /, **fields: Any) -> Any:
    """Make a mutator of a function ``(instruction) -> prompt`` or ``(instruction, rng) -> prompt``.

    On a class with ``prompt`` and ``parse``, or with ``mutate``, it sets what is given and returns the class.
    Works without parentheses too. The docstring is the description that ``evolve mutators`` shows.

    Args:
        target: What is decorated.
        **fields: ``family`` (``depth``, ``breadth``, ``code`` or a word of your own; default ``custom``),
            ``weight`` (default 1: how often it is drawn, relative to the others), ``name`` (default: the
            function's), ``version`` (default 1; raise it when the prompt changes), ``markers`` (phrases of
            the prompt that must not show in a result), ``sampling`` (parameters that replace those of the run).

    Raises:
        PluginError: What is decorated is no function of one or two arguments and no class.
    """
    unknown = sorted(fields.keys() - {"family", "weight", "name", "version", "markers", "sampling"})
    if unknown:
        raise TypeError(f"mutator() got an unexpected keyword argument {unknown[0]!r}")
    if fields.get("name") is None:
        fields.pop("name", None)
    if target is None:
        return lambda decorated: _make(decorated, fields)
    return _make(target, fields)


def _make(target: Any, fields: dict[str, Any]) -> Any:
    if isinstance(target, type):
        for field, value in fields.items():
            setattr(target, field, value)
        return target
    if not inspect.isroutine(target):
        raise PluginError(
            f"@mutator was given {target!r}, which is no function and no class; nothing was run. "
            'Write its settings by name, as in @mutator(family="depth").'
        )
    return FunctionMutator(target, fields)


def with_rng(function: Callable[..., Any], who: str) -> Callable[[str, Random], Any]:
    """Return ``function`` as one of ``(instruction, rng)``, whichever of the two forms it has.

    A second argument with a default is the generator only if it is called ``rng``.

    Raises:
        PluginError: It has neither form, or is asynchronous; ``who`` names it.
    """
    if inspect.iscoroutinefunction(function):
        raise PluginError(
            f"{who} is asynchronous, but never calls a model; nothing was run. Write def, not async def."
        )
    parameters = inspect.signature(function).parameters.values()
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [
        p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if len(needed) > 2 or not places or any(p.kind is p.KEYWORD_ONLY for p in needed):
        raise PluginError(
            f"{who} takes {inspect.signature(function)}; nothing was run. "
            "It must take (instruction) or (instruction, rng)."
        )
    if len(needed) == 2 or (len(places) > 1 and places[1].name == "rng"):
        return function
    return lambda instruction, _rng: function(instruction)


def describe_place(thing: object) -> str:
    """Where something is defined, as ``module:Name``; of an instance, its class."""
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    return f"{named.__module__}:{named.__qualname__}"


def name_of_class(cls: type) -> str:
    """``EdgeCases`` is called ``edge_cases`` unless it says otherwise."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower().strip("_")
