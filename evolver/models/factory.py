"""From what the user wrote after ``--model``, or handed over in Python, to a model."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import replace

from evolver.errors import PluginError, SettingsError, UsageError
from evolver.models import registry
from evolver.models.identity import ModelIdentity, identity
from evolver.models.keys import KEYLESS, address_of, host_of, in_the_clear, read_key
from evolver.models.protocol import Model
from evolver.models.registry import Provider, Setup
from evolver.quoting import public_url
from evolver.text import Urgent

__all__ = ["ModelIdentity", "identify", "identity", "listed", "made_here", "make_model", "notices"]

_COMPATIBLE = "openai"
"""Whose protocol a server of the user's own speaks, where its model is named without a provider."""


def make_model(
    spec: object,
    *,
    base_url: str | None = None,
    key_variable: str | None = None,
    timeout: float = 600.0,
    on_notice: Callable[[str], None] | None = None,
) -> Model:
    """Make the model ``spec`` names; an object that is a model already is returned as it is.

    ``prefix:NAME`` for any provider that is registered (see :mod:`evolver.models.registry`) or that LangChain knows,
    the prefix alone of one that has a single model, a LangChain chat model object, or an object with
    ``async complete(request)``. With ``base_url`` a name without a provider is an OpenAI-compatible server's, colons
    and all (``llama3:8b``). Only the packages of the model asked for are imported.

    Whoever made a model closes it: ask :func:`made_here` whether that was this function.

    Args:
        spec: What the user asked for.
        base_url: An OpenAI-compatible server, or the provider's address.
        key_variable: The environment variable that holds the key, in place of the provider's own.
        timeout: Seconds one call may take.
        on_notice: Told what the user should read once, such as a parameter that the model refuses.

    Raises:
        SettingsError: Nothing answers to ``spec``, or its key or package is missing. Nothing was sent.
        PluginError: The package behind ``spec`` is broken, or two packages answer to it. Nothing was sent.
    """
    setup = Setup(timeout=timeout) if on_notice is None else Setup(timeout=timeout, on_notice=on_notice)
    if not isinstance(spec, str):
        if key_variable is not None:
            raise _without_key(f"a {type(spec).__name__} that is already made")
        return _from_object(spec, base_url, setup)
    provider, name = _found(spec, base_url)
    named = _checked(provider, base_url)
    key = _key(provider, key_variable, named)
    keyed = key != KEYLESS and not (key is None and provider.self_hosted)  # None: its library reads one
    if named is not None and keyed and in_the_clear(named):
        told = (
            f"The key of {provider.prefix} goes to {public_url(named)} unencrypted, for everybody on the way to read; "
            "use https:// if that server has it."
        )
        setup.on_notice(Urgent(told))
    setup = Setup(named, key, setup.timeout, setup.on_notice)
    try:
        model = provider.make(name, setup)
    except ImportError as error:
        raise registry.missing_package(spec.strip(), provider.package or error.name) from error
    except SettingsError as error:
        if registry.registered(provider.prefix) is None:
            raise UsageError(_unknown(spec.strip())) from error
        raise
    if not isinstance(model, Model):
        raise PluginError(
            f"the package of the models {provider.usage} made a {type(model).__name__}, which has no "
            "`async complete(request)`; nothing was sent. Mend or uninstall that package."
        )
    return model


def made_here(spec: object) -> bool:
    """Tell whether :func:`make_model` makes something for ``spec``, which is then the caller's to close.

    A model of the user's is returned as it is, so it stays the user's to close. What is made around a LangChain
    object is the caller's; closing it leaves the object open.
    """
    return isinstance(spec, str) or not isinstance(spec, Model)


def identify(spec: object, *, base_url: str | None = None) -> ModelIdentity:
    """Say who the model of ``spec`` will be, without its key and, for a name, without its package.

    Raises:
        SettingsError: Nothing answers to ``spec``.
        PluginError: The package behind ``spec`` is broken, or two packages answer to it.
    """
    if not isinstance(spec, str):
        return _placed(identity(make_model(spec, base_url=base_url)))
    provider, name = _found(spec, base_url)
    address = _checked(provider, base_url) or host_of(provider) or provider.url
    return _identity(provider, name, None if address is None else public_url(address))


def _placed(who: ModelIdentity) -> ModelIdentity:
    """Add the address that an object's library takes from the environment."""
    record = registry.provider(who.provider) if who.base_url is None else None
    address = None if record is None else host_of(record)
    return who if address is None else replace(who, base_url=public_url(address))


def listed(spec: str) -> ModelIdentity:
    """Say who a model is at its provider's own address, whatever address the environment names.

    Raises:
        SettingsError: Nothing answers to ``spec``.
    """
    return _identity(*_found(spec, None), None)


def notices(specs: Iterable[object]) -> list[str]:
    """What is to be said at the beginning of a run that asks these models, each sentence once.

    Raises:
        SettingsError: Nothing answers to one of ``specs``.
    """
    named = [_found(spec, None)[0] for spec in specs if isinstance(spec, str) and _is_known(spec)]
    return list(dict.fromkeys(one.notice for one in named if one.notice))


def _identity(provider: Provider, name: str, address: str | None) -> ModelIdentity:
    name = provider.sole_model or f"{provider.prefix}:{name}"
    return ModelIdentity(provider.prefix, name, address, provider.local)


def _is_known(spec: str) -> bool:
    return registry.folded(spec.partition(":")[0]) in registry.prefixes()


def _found(spec: str, base_url: str | None) -> tuple[Provider, str]:
    """Find whose model it is, and the name it has there."""
    spec = spec.strip()
    prefix, colon, name = spec.partition(":")
    if base_url is not None and spec and not _is_known(spec):
        prefix, name = _COMPATIBLE, spec
    elif not colon:
        provider = registry.registered(prefix)
        if provider is not None and provider.sole_model is not None:
            return provider, ""
    provider = registry.provider(prefix) if name and prefix else None
    if provider is None or provider.sole_model is not None:
        raise UsageError(_unknown(spec))
    return provider, name


def _checked(provider: Provider, base_url: str | None) -> str | None:
    if base_url is not None and provider.local:
        raise SettingsError(
            f"{provider.usage} runs in this process and has no base URL; nothing was sent. "
            "Name the model that the server holds with --model, or leave out --base-url."
        )
    return address_of(provider, base_url)


def _key(provider: Provider, variable: str | None, named: str | None) -> str | None:
    if variable is None:
        return None if provider.key is None else read_key(provider.key, base_url=named)
    if provider.key is None and not provider.takes_key:
        raise _without_key(provider.usage)
    return read_key(variable, base_url=None)


def _without_key(who: str) -> SettingsError:
    return SettingsError(
        f"{who} takes no key from a variable that is named; nothing was sent. Leave out the key variable "
        "(key_variable, --key-variable), or set it to none for that purpose."
    )


def _from_object(model: object, base_url: str | None, setup: Setup) -> Model:
    kind = type(model).__name__
    is_model, is_chat = isinstance(model, Model), hasattr(model, "ainvoke")
    if not is_model and not is_chat:
        raise SettingsError(
            f"a {kind} is not a model; nothing was sent. Give a name such as "
            "'openai:gpt-4.1-mini', a LangChain chat model, or an object with `async complete(request)`."
        )
    if base_url is not None:
        raise SettingsError(
            f"a base URL cannot be set on a {kind} that is already made; nothing was sent. "
            "Set it where you make the object."
        )
    if isinstance(model, Model):
        return model
    # Takes most of a second to import, which whoever brings the object has paid for already.
    from evolver.models.langchain import LangChainModel

    return LangChainModel(model, timeout=setup.timeout, on_notice=setup.on_notice)  # type: ignore[arg-type]


def _unknown(spec: str) -> str:
    usages, broken = registry.usages()
    others = registry.other_words()
    ways = ", ".join(usages) + ("" if others is None else f", or provider:NAME for {others}")
    besides = "".join(f"\nBesides, {each}." for each in broken)
    return f"no model is called {spec!r}; nothing was sent. {_nearest(spec)}A model is {ways}.{besides}"


def _nearest(spec: str) -> str:
    prefix, colon, name = spec.partition(":")
    owner = "" if colon else _owner(spec)
    if owner:
        return f"Did you mean {owner!r}? "
    near = difflib.get_close_matches(registry.folded(prefix), registry.prefixes(), n=1)
    try:
        provider = registry.registered(near[0]) if near else None
    except PluginError:
        provider = None
    if provider is not None and provider.sole_model is not None:
        return f"Did you mean {provider.prefix!r}? "
    if provider is not None and colon:
        return f"Did you mean {provider.prefix + ':' + (name or 'NAME')!r}? "
    if spec and not colon:
        return f"Did you mean '{_COMPATIBLE}:{spec}', or a server of your own with --base-url? "
    return ""


def _owner(spec: str) -> str:
    """Write a name without a colon as it is asked for, if it is plain whose it is; else return an empty text.

    It is for ``openai/gpt-4.1-mini``, as routers write it, and for ``claude-haiku-4-5``, as its provider does.
    """
    first, slash, rest = spec.partition("/")
    if slash and rest and _is_known(first):
        return f"{registry.folded(first)}:{rest}"
    for prefix in registry.prefixes():
        try:
            provider = registry.registered(prefix)
        except PluginError:
            continue
        if provider is not None and spec.lower().startswith(provider.families or ("\0",)):
            return f"{prefix}:{spec}"
    return ""
