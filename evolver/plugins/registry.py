"""Which mutators there are, and which of them a run is to use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from evolver.errors import PluginError, UnknownNameError
from evolver.loading import did_you_mean, load_object
from evolver.plugins.authoring import describe_place
from evolver.plugins.loaded import LoadedMutator, adapt, check_weight

ENTRY_POINTS = "evolver.mutators"
DEFAULT_PRESET = "wizardlm"


@dataclass(frozen=True, slots=True)
class Installed:
    """What installed packages bring: presets by the name of their entry point, and all mutators by name."""

    presets: Mapping[str, tuple[LoadedMutator, ...]]
    mutators: Mapping[str, LoadedMutator]

    def presets_of(self, name: str) -> list[str]:
        """The presets that hold a mutator of this name."""
        return [
            preset for preset, members in self.presets.items() if any(one.name == name for one in members)
        ]


def installed() -> Installed:
    """Load everything under the entry points ``evolver.mutators``, the built-in mutators among it.

    An entry point is one mutator, or an iterable of mutators: a preset, called as the entry point is.

    Raises:
        PluginError: An entry point cannot be loaded or is no mutator, or a name is taken twice; the message
            names the owners. All are loaded whatever a run uses, so that no name ever means two things.
    """
    return _Catalog().installed()


def parse_mutator_list(text: str) -> list[str]:
    """Split ``a,b=2,file.py:Name`` at its commas.

    Raises:
        PluginError: There is nothing before, after or between commas.
    """
    specs = [spec.strip() for spec in text.split(",")]
    _refuse_empty_place(specs)
    return specs


def load_mutators(
    specs: Sequence[object] | Mapping[object, float] = (), *, preset: str = DEFAULT_PRESET
) -> tuple[LoadedMutator, ...]:
    """Find the mutators a run is to use.

    Args:
        specs: Names of presets and of mutators, ``file.py:Name``, ``module:Name``, ``file.jinja``, each with
            ``=WEIGHT`` at the end where wanted; or mutators themselves, and lists of them. A mapping, in their
            place or among them, gives each the weight it says. The weight of a preset multiplies those of its
            members; a member named beside its preset with a weight gets that weight. One text is split at its
            commas. None at all: ``preset``.
        preset: What is used where ``specs`` is empty.

    Raises:
        PluginError: A mutator cannot be found or loaded, its weight is no number above 0, ``preset`` is a
            single mutator, or a name is taken twice; the message names both owners.
    """
    if isinstance(specs, Mapping):
        specs = (specs,)
    items: Sequence[object] = parse_mutator_list(specs) if isinstance(specs, str) else specs
    _refuse_empty_place(items)
    weighted = list(_weighted(items))
    catalog = _Catalog()
    catalog.installed()
    grouped: dict[str, LoadedMutator] = {}
    single: dict[str, LoadedMutator] = {}
    weighed: set[str] = set()
    for spec, weight in weighted or [(preset, None)]:
        found = catalog.find(spec)
        if isinstance(found, tuple):
            for member in found:
                _refuse_twice(member, grouped)
                grouped[member.name] = member.weighing(member.weight * (weight or 1))
        elif not weighted:
            raise PluginError(
                f"{preset!r} is a mutator and no preset; nothing was run. Use it with --mutators {preset}."
            )
        else:
            _refuse_twice(found, single)
            single[found.name] = found if weight is None else found.weighing(weight)
            weighed |= set() if weight is None else {found.name}
    for name in single.keys() - weighed:
        _refuse_twice(single[name], grouped)
    return tuple((grouped | single).values())


def _weighted(items: Iterable[object]) -> Iterator[tuple[object, float | None]]:
    """Yield what each item names or is, with the weight that was given for it, if one was."""
    for item in items:
        if isinstance(item, Mapping):
            _refuse_empty_place([*item])
            yield from ((spec, check_weight(weight, repr(spec))) for spec, weight in item.items())
        elif isinstance(item, str):
            yield split_weight(item)
        else:
            yield item, None


def split_weight(spec: str) -> tuple[str, float | None]:
    """Split ``breadth=2`` into the name and its weight; ``None`` where no weight is given.

    Raises:
        PluginError: The weight is no finite number above 0.
    """
    name, equals, number = spec.rpartition("=")
    if not equals or number.endswith(".jinja") or ":" in number:
        return spec, None
    try:
        weight = float(number)
    except ValueError as error:
        raise PluginError(
            f"{spec!r}: the weight {number!r} is no number; nothing was run. Write a weight above 0, as in {name}=2."
        ) from error
    return name.strip(), check_weight(weight, repr(spec))


def _refuse_empty_place(specs: Sequence[object]) -> None:
    if any(isinstance(spec, str) and not spec.strip() for spec in specs):
        raise PluginError(
            f"the list of mutators {','.join(map(str, specs))!r} has an empty place; nothing was run. Write a,b=2,c."
        )


def _refuse_twice(mutator: LoadedMutator, taken: Mapping[str, LoadedMutator]) -> None:
    other = taken.get(mutator.name)
    if other is None:
        return
    raise PluginError(
        f"the mutator {mutator.name!r} is listed twice ({other.owner}; {mutator.owner}); nothing was run. "
        f"Name it once; its weight is set by {mutator.name}=2."
    )


class _Catalog:
    """Every mutator seen so far, by name and by identity, so that one name never means two things."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[object, LoadedMutator]] = {}
        self._by_name: dict[str, LoadedMutator] = {}
        self._presets: dict[str, tuple[LoadedMutator, ...]] = {}
        self._owners: dict[str, str] = {}  # of presets

    def installed(self) -> Installed:
        """Load all entry points; see the function of this name."""
        from importlib.metadata import entry_points  # slow to import, and only needed here

        for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (point.name, point.value)):
            owner = f"{point.module} (entry point {point.name})"
            try:
                thing = point.load()
            except Exception as error:
                raise PluginError(
                    f"{owner} cannot be loaded: {type(error).__name__}: {error}; nothing was run. "
                    "Mend or uninstall that package."
                ) from error
            if not _is_group(thing):
                self._add(thing, owner, source="")
                continue
            if point.name in self._owners:
                _refuse_clash(point.name, self._owners[point.name], owner)
            self._owners[point.name] = owner
            self._presets[point.name] = self._add_all(thing, owner, source="")
        for name in self._presets.keys() & self._by_name.keys():
            _refuse_clash(name, self._owners[name], self._by_name[name].owner)
        return Installed(dict(self._presets), dict(self._by_name))

    def find(self, spec: object) -> LoadedMutator | tuple[LoadedMutator, ...]:
        """Return the mutator that ``spec`` names or is; for a preset or a list, all of its members."""
        if not isinstance(spec, str):
            owner = spec.owner if isinstance(spec, LoadedMutator) else describe_place(spec)
            return self._add_all(spec, owner) if _is_group(spec) else self._add(spec, owner)
        if spec.endswith(".jinja"):
            from evolver.plugins.jinja_file import load_jinja  # jinja2 is not needed by who brings none

            return self._keep(load_jinja(Path(spec)))
        if ":" in spec:
            thing = load_object(spec)
            owner = str(Path(spec)) if ".py:" in spec else spec
            return self._add_all(thing, owner) if _is_group(thing) else self._add(thing, owner)
        if spec in self._presets:
            return self._presets[spec]
        if spec in self._by_name:
            return self._by_name[spec]
        return _unknown(spec, [*self._presets, *self._by_name])

    def _add_all(self, things: object, owner: str, source: str | None = None) -> tuple[LoadedMutator, ...]:
        assert isinstance(things, Iterable)
        members = tuple(self._add(thing, owner, source) for thing in things)
        if not members:
            raise PluginError(f"{owner} is an empty list of mutators; nothing was run. Put one into it.")
        return members

    def _add(self, thing: object, owner: str, source: str | None = None) -> LoadedMutator:
        if isinstance(thing, LoadedMutator):
            return self._keep(thing)
        if id(thing) not in self._by_id:
            mutator = adapt(thing, owner, source=source)
            if other := self._by_name.get(mutator.name):
                _refuse_clash(mutator.name, other.owner, owner)
            self._by_id[id(thing)] = thing, self._keep(mutator)
        return self._by_id[id(thing)][1]

    def _keep(self, mutator: LoadedMutator) -> LoadedMutator:
        """Take the name, unless another mutator or a preset has it."""
        other = self._by_name.setdefault(mutator.name, mutator)
        if (other.owner, other.digest) != (mutator.owner, mutator.digest):
            _refuse_clash(mutator.name, other.owner, mutator.owner)
        if mutator.name in self._presets:
            _refuse_clash(mutator.name, self._owners[mutator.name], mutator.owner)
        return mutator


def _is_group(thing: object) -> bool:
    return (
        isinstance(thing, Iterable)
        and not isinstance(thing, (str, bytes, type))
        and not hasattr(thing, "prompt")
        and not hasattr(thing, "mutate")
    )


def _refuse_clash(name: str, first: str, second: str) -> NoReturn:
    raise PluginError(
        f"the name {name!r} is taken twice, by {first} and by {second}; nothing was run. "
        "Rename one of them, or uninstall the package it comes from."
    )


def _unknown(name: str, known: Sequence[str]) -> NoReturn:
    if name.endswith(".py"):
        raise PluginError(f"{name!r} names a file alone; nothing was run. Name what is in it: {name}:Name.")
    raise UnknownNameError(
        f"there is no mutator or preset {name!r}; nothing was run.{did_you_mean(name, known)} "
        f"There are {', '.join(sorted(known))}."
    )
