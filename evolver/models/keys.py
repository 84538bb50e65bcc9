"""Keys come from the environment alone, and addresses are shown without what they may hide."""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

from evolver.errors import SettingsError
from evolver.hosts import is_this_machine
from evolver.models.registry import Provider
from evolver.quoting import public_url

_HERE, _ANYWHERE, _OWN_PORT = "127.0.0.1", "0.0.0.0", 11434  # noqa: S104 - where Ollama listens, not we

KEYLESS = "none"
"""Sent where a server of one's own needs no key; the SDKs refuse to send nothing."""


def read_key(variable: str, *, base_url: str | None) -> str:
    """Read a provider's key; with a base URL it may be missing, as vLLM, Ollama and llama.cpp ask for none.

    Raises:
        SettingsError: The variable is not set, or holds what no header can carry. The key is not repeated.
    """
    key = os.environ.get(variable, "").strip()
    if key:
        if not (key.isascii() and key.isprintable()):
            raise SettingsError(
                f"{variable} holds characters that no key has; nothing was sent. "
                "Copy the key again, without quotes or line breaks, and run the same command."
            )
        return key
    if base_url is not None:
        return KEYLESS
    raise SettingsError(
        f"{variable} is not set; nothing was sent. Export it and run the same command again, "
        "or name a server that needs no key with --base-url."
    )


def address_of(provider: Provider, base_url: str | None) -> str | None:
    """The address that the user named, by a setting or by the provider's variable; ``None`` without one.

    Raises:
        SettingsError: It is no address that can be asked.
    """
    if base_url is None and provider.url_variable is not None:
        base_url = os.environ.get(provider.url_variable, "").strip() or None
    return checked_base_url(base_url)


def host_of(provider: Provider) -> str | None:
    """The address that the provider's library will take from the environment; ``None`` where that names none.

    ``gpu-box:11434`` is http there. What the variable of an own server says of its usual place is no other address.
    """
    said = next(
        (said for name in provider.host_variables if (said := os.environ.get(name, "").strip())), None
    )
    if said is None:
        return None
    url = said if "://" in said else f"http://{said}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or _HERE, parts.port
    except ValueError:
        return url
    if provider.self_hosted and port in (None, _OWN_PORT) and (host == _ANYWHERE or is_this_machine(url)):
        return None
    return url if parts.hostname else urlunsplit((parts.scheme, f"{_HERE}:{port}", parts.path, "", ""))


def in_the_clear(url: str) -> bool:
    """Tell whether what is sent to an address can be read on the way: http, and to another machine than this."""
    return urlsplit(url).scheme == "http" and not is_this_machine(url)


def checked_base_url(url: str | None) -> str | None:
    """Let pass only an address with a scheme and a host, so a mistyped one fails before the first call.

    Raises:
        SettingsError: It is no such address, or holds a user or password. Neither is repeated.
    """
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(
            f"the base URL {public_url(url)!r} is not an address such as http://localhost:8000/v1; nothing was sent.\n"
            "Write one with http:// or https://, a host, and the path before /chat/completions or /messages."
        )
    if "@" in parts.netloc:
        raise SettingsError(
            f"the base URL of {parts.hostname} holds a user or password, which HTTP clients refuse beside a key; "
            f"nothing was sent.\nWrite {public_url(url)} and put the key into the environment."
        )
    if parts.query or parts.fragment or url.rstrip().endswith(("?", "#")):
        raise SettingsError(
            f"the base URL {public_url(url)} has something behind a ? or #, so no path can follow it; nothing was "
            "sent.\nLeave it out; a key belongs into the environment."
        )
    return url
