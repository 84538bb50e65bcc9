"""Whose machine an address names: one of the user's own, or somebody's who may send a bill."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_OWN_NETWORKS = tuple(
    map(
        ip_network,
        (
            # This machine (RFC 1122, 4291), private ranges (RFC 1918, 4193), one's own link (RFC 3927, 4291).
            *("127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128"),
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
            *("169.254.0.0/16", "fe80::/10"),
        ),
    )
)
_OWN_ENDINGS = (".local", ".internal", ".localhost")


def is_own(url: str) -> bool:
    """Tell whether an address is of a machine of the user's own, where nobody sells anything.

    That is this machine, one in a private range or on the same link, a name without a dot, and one that ends in
    ``.local``, ``.internal`` or ``.localhost``. Every other host is taken for somebody's who may send a bill: a name
    with a dot may lead anywhere.
    """
    host = _host(url)
    if host is None:
        return False
    number = _number(host)
    if number is not None:
        return any(number in network for network in _OWN_NETWORKS if network.version == number.version)
    return "." not in host or host.endswith(_OWN_ENDINGS)


def is_this_machine(url: str) -> bool:
    """Tell whether an address is of this machine, so that what is sent there passes no wire."""
    host = _host(url)
    if host is None:
        return False
    number = _number(host)
    if number is not None:
        return number.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _host(url: str) -> str | None:
    try:
        return (urlsplit(url).hostname or "").rstrip(".") or None
    except ValueError:
        return None


def _number(host: str) -> IPv4Address | IPv6Address | None:
    """Read a host that is a number, also as the system's resolver takes it: ``134744072`` is 8.8.8.8."""
    try:
        number = ip_address(host)
    except ValueError:
        if not host[:1].isdigit():
            return None
        try:
            number = ip_address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return number if mapped is None else mapped
