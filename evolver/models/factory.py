"""From what the user wrote after ``--model``, or handed over in Python, to a model."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable

from evolver.errors import SettingsError
from evolver.models.identity import ModelIdentity, identity
from evolver.models.keys import checked_base_url, public_url
from evolver.models.protocol import Model

__all__ = ["ModelIdentity", "identify", "identity", "make_model", "official"]

OFFLINE = "offline"
_ADDRESSES = {
    "openai": ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
}
"""Where the SDKs ask if nothing else is said, and the variable that says something else."""

_SELF_HOSTED = frozenset({"ollama"})

_PROVIDERS = (
    "anthropic",
    "anthropic_bedrock",
    "azure_ai",
    "azure_openai",
    "baseten",
    "bedrock",
    "bedrock_converse",
    "cohere",
    "deepseek",
    "fireworks",
    "google_anthropic_vertex",
    "google_genai",
    "google_vertexai",
    "groq",
    "huggingface",
    "ibm",
    "litellm",
    "meta",
    "mistralai",
    "nvidia",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together",
    "upstage",
    "xai",
)
"""Known by name, for suggestions; a provider that only LangChain knows works all the same."""


def make_model(
    spec: object,
    *,
    base_url: str | None = None,
    timeout: float = 600.0,
    on_notice: Callable[[str], None] | None = None,
) -> Model:
    """Make the model ``spec`` names; an object that is a model already is returned as it is.

    ``openai:NAME``, ``anthropic:NAME``, ``offline``, ``provider:NAME`` for any provider of LangChain's, a
    LangChain chat model object, or an object with ``async complete(request)``. With ``base_url`` a name
    without a provider is an OpenAI-compatible server's, colons and all (``llama3:8b``). Only the packages of
    the model asked for are imported.

    Args:
        spec: What the user asked for.
        base_url: An OpenAI-compatible server, or the provider's address.
        timeout: Seconds one call may take.
        on_notice: Told what the user should read once, such as a parameter that the model refuses.

    Raises:
        SettingsError: Nothing answers to ``spec``, or its key or package is missing. Nothing was sent.
    """
    if not isinstance(spec, str):
        return _from_object(spec, base_url, timeout, on_notice)
    if spec.strip() == OFFLINE:
        return _offline(base_url)
    provider, name = _split(spec.strip(), base_url)
    if provider == "openai":
        from evolver.models.openai import (
            OpenAIModel,
        )  # each provider costs its SDK's import, so only the chosen one

        return OpenAIModel(name, base_url=base_url, timeout=timeout, on_notice=on_notice)
    if provider == "anthropic":
        from evolver.models.anthropic import AnthropicModel  # as above

        return AnthropicModel(name, base_url=base_url, timeout=timeout, on_notice=on_notice)
    return _from_langchain(f"{provider}:{name}", base_url, timeout, on_notice)


def identify(spec: object, *, base_url: str | None = None) -> ModelIdentity:
    """Say who the model of ``spec`` will be, without its key and, for a name, without its package.

    Raises:
        SettingsError: Nothing answers to ``spec``.
    """
    if not isinstance(spec, str) or spec.strip() == OFFLINE:
        return identity(make_model(spec, base_url=base_url))
    provider, name = _split(spec.strip(), base_url)
    address = checked_base_url(base_url)
    if address is None and provider in _ADDRESSES:
        variable, usual = _ADDRESSES[provider]
        address = os.environ.get(variable, usual)
    return ModelIdentity(provider, f"{provider}:{name}", None if address is None else public_url(address))


def official(who: ModelIdentity) -> bool:
    """Tell whether a model is asked at a provider that sells it, and not at a server of somebody's own."""
    usual = {address for _, address in _ADDRESSES.values()}
    return who.provider not in _SELF_HOSTED and (who.base_url is None or who.base_url in usual)


def _split(spec: str, base_url: str | None) -> tuple[str, str]:
    provider, colon, name = spec.partition(":")
    provider = provider.lower().replace("-", "_")
    if base_url is not None and spec and provider not in _PROVIDERS:
        return "openai", spec
    if not colon or not name or not provider:
        raise SettingsError(_unknown(spec))
    return provider, name


def _offline(base_url: str | None) -> Model:
    if base_url is not None:
        raise SettingsError(
            "the embedded model has no base URL; nothing was sent. "
            "Name the model that the server holds with --model, or leave out --base-url."
        )
    from evolver_offline import OfflineModel  # its tables of words stay out of every other run

    return OfflineModel()


def _from_langchain(
    spec: str, base_url: str | None, timeout: float, on_notice: Callable[[str], None] | None
) -> Model:
    from evolver.models.langchain import LangChainModel  # LangChain takes most of a second to import

    try:
        return LangChainModel(spec, base_url=base_url, timeout=timeout, on_notice=on_notice)
    except SettingsError as error:
        if spec.partition(":")[0] in _PROVIDERS:
            raise
        raise SettingsError(_unknown(spec)) from error


def _from_object(
    model: object, base_url: str | None, timeout: float, on_notice: Callable[[str], None] | None
) -> Model:
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
    from evolver.models.langchain import (
        LangChainModel,
    )  # as above; whoever brings the object has paid for it already

    return LangChainModel(model, timeout=timeout, on_notice=on_notice)  # type: ignore[arg-type]


def _unknown(spec: str) -> str:
    provider, colon, name = spec.partition(":")
    near = difflib.get_close_matches(provider.lower(), [*_PROVIDERS, "offline"], n=1)
    if near and (colon or near[0] == "offline"):
        hint = f"Did you mean {near[0] + (':' + (name or 'NAME') if near[0] != 'offline' else '')!r}? "
    elif spec and not colon:
        hint = f"Did you mean 'openai:{spec}', or a server of your own with --base-url? "
    else:
        hint = ""
    return (
        f"no model is called {spec!r}; nothing was sent. {hint}"
        "A model is openai:NAME, anthropic:NAME, offline, or provider:NAME for any provider LangChain knows."
    )
