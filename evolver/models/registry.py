"""The door models come in through: one record per provider, found under the entry points ``evolver.models``.

The name of an entry point is the prefix a model is asked for by, and the object behind it is a :class:`Provider`.
Names are read once per process and nothing else is: a provider's module is imported when its prefix is asked for, so
one that is broken harms nobody else. Prefixes that nobody has registered go to the :class:`Fallback`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evolver.errors import PluginError, SettingsError
from evolver.models.protocol import Model

ENTRY_POINTS = "evolver.models"
FALLBACK = "langchain"
"""The entry point that answers for every prefix without one of its own; no prefix itself."""


def _ignore(notice: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a model is made with.

    ``base_url`` is the address the user named, checked; ``None`` where nobody named one. ``key`` is what the
    provider's key variable holds, or the one that the user named instead; ``none`` where it may be missing and is,
    ``None`` where nobody names a variable. ``timeout`` is the most seconds a call may take. ``on_notice`` takes what
    the user should read once.
    """

    base_url: str | None = None
    key: str | None = field(default=None, repr=False)
    timeout: float = 600.0
    on_notice: Callable[[str], None] = _ignore

    def keywords(self) -> dict[str, Any]:
        """All of it, for a class that takes the same."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Everything evolver knows of a provider; the module that holds it should import nothing heavy.

    Args:
        prefix: What stands before the colon of ``prefix:NAME``, and the name of the entry point.
        make: Makes the model of a name. What it needs to import, it imports when it is called.
        package: What to install where ``make`` raises an ``ImportError``: ``evolver-acme[gpu]``.
        key: The environment variable of the key. It is read before ``make`` is called; missing, it is an error
            unless the user named a base URL.
        takes_key: ``make`` takes the key of a variable that the user names; so it does where ``key`` names one.
        url: The provider's own address; ``None`` where that is its library's affair.
        url_variable: The environment variable that names another address.
        host_variables: Those in which the provider's own library looks for another address, most important first.
            It is asked there all the same; a model at such an address is another one, with its own calls and price.
        price_id: The provider's name in the price list of genai-prices; ``None`` where it is not in there.
        prices: Dollars for a million tokens of prompt and of completion, by the model's name; ``*`` is any other
            name. Outranks the price list, and holds at any address.
        self_hosted: A server of the user's own, as Ollama is: nobody sends a bill.
        local: Runs in this process: it has no address, costs nothing, is neither limited nor stored.
        sole_model: Where there is one model only, its name in the lineage; it is asked for by ``prefix`` alone.
        families: Beginnings of its models' names, to know them by where the prefix was left out: ``claude``.
        batch: Its models have ``batch_api()``.
        notice: What every run that uses it says at its beginning.
        dataset_notice: What the card of every dataset made with it says.
    """

    prefix: str
    make: Callable[[str, Setup], Model]
    package: str | None = None
    key: str | None = None
    url: str | None = None
    url_variable: str | None = None
    host_variables: tuple[str, ...] = ()
    price_id: str | None = None
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    self_hosted: bool = False
    local: bool = False
    sole_model: str | None = None
    families: tuple[str, ...] = ()
    batch: bool = False
    takes_key: bool = False
    notice: str = ""
    dataset_notice: str = ""

    @property
    def usage(self) -> str:
        """How its models are asked for: ``openai:NAME``."""
        return f"{self.prefix}:NAME" if self.sole_model is None else self.prefix


@dataclass(frozen=True, slots=True)
class Fallback:
    """What answers for every prefix that has no entry point.

    ``known`` are the providers it is sure of, ``other`` makes the record of any other prefix, and ``words`` say which
    those are: "any provider LangChain knows".
    """

    known: tuple[Provider, ...]
    other: Callable[[str], Provider]
    words: str


def folded(prefix: str) -> str:
    """Write a prefix as the records do: ``Azure-OpenAI`` is ``azure_openai``."""
    return prefix.strip().lower().replace("-", "_")


def prefixes() -> list[str]:
    """Every prefix that is registered or that the fallback is sure of, without importing any provider's module."""
    return [*(name for name in _points() if name != FALLBACK), *_fallback_known()]


def registered(prefix: str) -> Provider | None:
    """Return the record of a prefix that is registered, or that the fallback is sure of; ``None`` for any other.

    Raises:
        PluginError: Two packages have registered it, or its record cannot be loaded; both or it are named.
    """
    prefix = folded(prefix)
    if prefix in _points() and prefix != FALLBACK:
        return _load(prefix)
    return _fallback_known().get(prefix)


def provider(prefix: str) -> Provider | None:
    """Return the record of any prefix, the fallback's for one that nobody knows; ``None`` where there is no fallback.

    Raises:
        PluginError: As for :func:`registered`.
    """
    found = registered(prefix)
    fallback = _fallback()
    return fallback.other(folded(prefix)) if found is None and fallback is not None else found


def provider_of(name: str) -> Provider | None:
    """Return the record behind a model's name in the lineage, ``openai:m``; ``None`` without one.

    Never fails: a lineage may hold models whose packages are gone.
    """
    try:
        return registered(name.replace("/", ":").partition(":")[0])
    except PluginError:
        return None


def usages() -> tuple[list[str], list[str]]:
    """How the models of every registered provider are asked for, and what is wrong with those that cannot be."""
    found, broken = [], []
    for prefix in _points():
        if prefix == FALLBACK:
            continue
        try:
            found.append(_load(prefix))
        except PluginError as error:
            broken.append(str(error).partition(";")[0])
    found.sort(key=lambda one: (one.sole_model is not None, one.prefix))
    return [one.usage for one in found], broken


def usages_with_batches() -> list[str]:
    """How the models that have a batch API are asked for."""
    return [usage for usage in usages()[0] if (one := registered(usage.partition(":")[0])) and one.batch]


def other_words() -> str | None:
    """What the fallback answers for, in words; ``None`` without one."""
    fallback = _fallback()
    return None if fallback is None else fallback.words


def missing_package(spec: str, package: str | None) -> SettingsError:
    """Say what a model needs that is not installed."""
    return SettingsError(
        f"the model {spec!r} needs the package {package}, which is not installed; nothing was sent. "
        f"Run `pip install {package}` and the same command again."
    )


@cache
def _points() -> Mapping[str, Sequence[EntryPoint]]:
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        points.setdefault(folded(point.name), []).append(point)
    return dict(sorted(points.items()))


@cache
def _load(prefix: str) -> Provider:
    found = _loaded(prefix)
    if not isinstance(found, Provider):
        raise _no_record(prefix, f"a {type(found).__name__} and no evolver.models.registry.Provider")
    if folded(found.prefix) != prefix:
        raise _no_record(prefix, f"the record of {found.prefix!r}: entry point and prefix must be one name")
    return found


@cache
def _fallback() -> Fallback | None:
    if FALLBACK not in _points():
        return None
    found = _loaded(FALLBACK)
    if not isinstance(found, Fallback):
        raise _no_record(FALLBACK, f"a {type(found).__name__} and no evolver.models.registry.Fallback")
    return found


@cache
def _fallback_known() -> Mapping[str, Provider]:
    fallback, own = _fallback(), _points()
    return {} if fallback is None else {one.prefix: one for one in fallback.known if one.prefix not in own}


def _loaded(prefix: str) -> object:
    points = _points()[prefix]
    if len(points) > 1:
        raise PluginError(
            f"the model prefix {prefix!r} is taken twice, by {' and by '.join(map(_owner, points))}; nothing was "
            "sent. Uninstall one of the packages, or let one of them take another prefix."
        )
    try:
        return points[0].load()
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(
            f"the models {prefix}:NAME of {_owner(points[0])} cannot be loaded ({said}); nothing was sent. "
            "Mend or uninstall that package."
        ) from error


def _no_record(prefix: str, what: str) -> PluginError:
    (point,) = _points()[prefix]
    return PluginError(
        f"the entry point {point.name} of {_owner(point)} is {what}; nothing was sent. "
        "Mend or uninstall that package."
    )


def _owner(point: EntryPoint) -> str:
    return f"{point.dist.name} ({point.value})" if point.dist is not None else point.value
