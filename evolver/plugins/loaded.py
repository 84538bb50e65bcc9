"""A mutator ready for use, whatever it was made from, and the set of them that a run draws from."""

from __future__ import annotations

import math
import re
from bisect import bisect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import accumulate
from random import Random
from typing import Any, NoReturn

from evolver import html
from evolver.digest import digest_of
from evolver.errors import PluginError
from evolver.plugins.authoring import OWN_FAMILY, name_of_class, plain_parse, with_rng
from evolver.plugins.drawing import own_sampling
from evolver.plugins.protocol import Prompt, Unusable

_NAME = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class LoadedMutator:
    """A mutator in the one form the engine knows.

    ``owner`` says who defined it, for errors and lists. ``digest`` changes with whatever shapes its results:
    name, version, own sampling, and the source or template of one that is not installed. ``sampling`` holds what of
    the run's sampling it replaces. ``ask``, ``read`` and ``change``
    are the owner's functions, unchecked: use :meth:`prompt`, :meth:`parse` and :meth:`mutate`.
    """

    name: str
    family: str
    version: int
    weight: float
    markers: tuple[str, ...]
    owner: str
    description: str
    digest: str
    sampling: Mapping[str, Any] = field(hash=False)
    ask: Callable[[str, Random], Any] | None = field(repr=False, compare=False)
    read: Callable[[str], Any] = field(repr=False, compare=False)
    change: Callable[[str, Random], Any] | None = field(repr=False, compare=False)

    @property
    def needs_call(self) -> bool:
        """Whether a model is asked: :meth:`prompt` and :meth:`parse`, or else :meth:`mutate`."""
        return self.change is None

    def prompt(self, instruction: str, rng: Random) -> Prompt:
        """Build the prompt.

        Raises:
            PluginError: The mutator raised, returned no prompt, or needs no call.
        """
        if self.ask is None:
            self._fail("needs no call and has no prompt")
        try:
            made = self.ask(instruction, rng)
        except Exception as error:
            raise self._raised(error) from error
        if isinstance(made, str):
            made = Prompt(made)
        if not isinstance(made, Prompt):
            self._fail(f"returned {_kind(made)} where its prompt is wanted, a text")
        if not isinstance(made.text, str) or not made.text.strip():
            self._fail("returned an empty prompt")
        return made

    def parse(self, completion: str) -> str:
        """Take the evolved instruction out of a completion.

        Raises:
            Unusable: The mutator raised, or returned no text: this reply is of no use to it.
        """
        try:
            evolved = self.read(completion)
        except Unusable:
            raise
        except Exception as error:
            said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            raise Unusable(said) from error
        if not isinstance(evolved, str):
            raise Unusable(
                f"parse returned {_kind(evolved)}, where the evolved instruction is wanted, a text"
            )
        return evolved

    def mutate(self, instruction: str, rng: Random) -> str:
        """Evolve the instruction without a call.

        Raises:
            PluginError: The mutator raised, returned no text, or needs a call.
        """
        if self.change is None:
            self._fail("needs a call and has no mutate")
        try:
            evolved = self.change(instruction, rng)
        except Exception as error:
            raise self._raised(error) from error
        if not isinstance(evolved, str):
            self._fail(
                f"returned {_kind(evolved)} from mutate, where the evolved instruction is wanted, a text"
            )
        return evolved

    def weighing(self, weight: float) -> LoadedMutator:
        """Return the same mutator with another weight."""
        return replace(self, weight=weight)

    def _repr_html_(self) -> str:
        """Show it as a table in a notebook."""
        return _shown([self])

    def _raised(self, error: Exception) -> PluginError:
        return PluginError(self._stop(f"raised {type(error).__name__}: {error}"))

    def _fail(self, what: str) -> NoReturn:
        raise PluginError(self._stop(what))

    def _stop(self, what: str) -> str:
        return (
            f"mutator {self.name!r} ({self.owner}) {what}; the run stops, what is finished is stored. "
            "Mend it and run the same command again."
        )


def adapt(thing: object, owner: str, *, source: str | None = None) -> LoadedMutator:
    """Check something that is meant to be a mutator and bring it into the engine's form.

    Args:
        thing: An object with ``prompt`` and maybe ``parse``, or with ``mutate``; or a class of such objects.
        owner: Who defined it.
        source: What stands for its behaviour in the digest beside name and version; read off ``thing``
            where it is ``None``.

    Raises:
        PluginError: It is no mutator; the message names ``owner`` and what is wrong.
    """
    wrapped = getattr(thing, "__wrapped__", thing)
    mutator = _instance(thing, owner)
    ask, read, change = (getattr(mutator, name, None) for name in ("prompt", "parse", "mutate"))
    if (ask is None) == (change is None):
        raise PluginError(
            f"{owner} has {'neither' if ask is None else 'both'} prompt(instruction, rng) "
            f"{'nor' if ask is None else 'and'} mutate(instruction, rng); nothing was run. Define one of them"
            + (", or decorate the function with @evolver.mutator." if callable(thing) else ".")
        )
    name = mutator.name if hasattr(mutator, "name") else name_of_class(type(mutator))
    version = getattr(mutator, "version", 1)
    markers = _markers(getattr(mutator, "markers", ()), owner)
    sampling = own_sampling(getattr(mutator, "sampling", {}), owner)
    shape: tuple[object, ...] = (name, version, markers, digest_of(wrapped) if source is None else source)
    if sampling:
        shape = (*shape, sorted(sampling.items()))
    return LoadedMutator(
        name=_name(name, "name", owner),
        family=_name(getattr(mutator, "family", OWN_FAMILY), "family", owner),
        version=_version(version, owner),
        weight=check_weight(getattr(mutator, "weight", 1), owner),
        markers=markers,
        owner=owner,
        description=_description(mutator),
        digest=blake2b(repr(shape).encode(), digest_size=8).hexdigest(),
        sampling=sampling,
        ask=None if ask is None else with_rng(ask, owner),
        read=plain_parse if read is None else read,
        change=None if change is None else with_rng(change, owner),
    )


def _instance(thing: object, owner: str) -> object:
    if not isinstance(thing, type):
        return thing
    try:
        return thing()
    except Exception as error:
        raise PluginError(
            f"{owner} is a class that could not be called without arguments ({type(error).__name__}: {error}); "
            "nothing was run. Give its arguments defaults, or name an instance of it."
        ) from error


def _name(value: object, key: str, owner: str) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or (key, value) == ("family", "seed"):
        raise PluginError(
            f"{owner}: the {key} {value!r} cannot be; nothing was run. Use small letters, digits, '-' and '_'"
            + (" other than 'seed'." if key == "family" else ".")
        )
    return value


def _version(value: object, owner: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PluginError(
            f"{owner}: the version {value!r} is no whole number; nothing was run. Use 1, 2, 3, …"
        )
    return value


def _markers(value: object, owner: str) -> tuple[str, ...]:
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    if not listed or not all(isinstance(marker, str) and marker.strip() for marker in value):  # type: ignore[attr-defined]
        raise PluginError(
            f"{owner}: the markers {value!r} are no list of phrases; nothing was run. "
            'Write a list of texts that are not blank, as in ["edge case labels"].'
        )
    return tuple(value)  # type: ignore[arg-type]


def check_weight(value: object, owner: str) -> float:
    """Return a weight that is a finite number above 0.

    Raises:
        PluginError: It is not; ``owner`` names whose it is.
    """
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or not (math.isfinite(value) and value > 0)
    ):
        raise PluginError(
            f"{owner}: the weight {value!r} is no number above 0; nothing was run. "
            "Leave a mutator out if it is not to be drawn."
        )
    return float(value)


def _description(mutator: object) -> str:
    text = getattr(mutator, "description", None) or mutator.__doc__ or ""
    return next((line.strip() for line in str(text).splitlines() if line.strip()), "")


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _shown(mutators: Sequence[LoadedMutator]) -> str:
    head = ("mutator", "family", "weight", "what it does", "from")
    rows = ((one.name, one.family, f"{one.weight:g}", one.description, one.owner) for one in mutators)
    return html.table(head, rows, left=(*head[:2], *head[3:]))


class MutatorSet:
    """The mutators of a run, drawn by weight.

    The order in which they are listed does not change the draws.

    Args:
        mutators: At least one, each name once.
    """

    __slots__ = ("_bounds", "_by_name", "_listed", "_total")

    def __init__(self, mutators: Sequence[LoadedMutator]) -> None:
        if not mutators:
            raise PluginError("there is no mutator to draw; nothing was run. Name at least one.")
        self._listed = tuple(mutators)
        self._by_name = sorted(mutators, key=lambda mutator: mutator.name)
        *bounds, self._total = accumulate(mutator.weight for mutator in self._by_name)
        self._bounds = bounds

    def __iter__(self) -> Iterator[LoadedMutator]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)

    def _repr_html_(self) -> str:
        """Show them as a table in a notebook."""
        return _shown(self._listed)

    def draw(self, rng: Random, *, excluding: Collection[str] = ()) -> LoadedMutator:
        """Draw one, with a chance in proportion to its weight.

        Args:
            rng: The attempt's generator; one number is taken from it.
            excluding: Names not to draw, tried before; ignored where it would leave none.
        """
        if excluding:
            left = [mutator for mutator in self._by_name if mutator.name not in excluding]
            if left and len(left) < len(self._by_name):
                return MutatorSet(left).draw(rng)
        return self._by_name[bisect(self._bounds, rng.random() * self._total)]
