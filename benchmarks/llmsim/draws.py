"""Randomness that depends on nothing but a seed and the content of a request."""

from __future__ import annotations

from hashlib import blake2b
from struct import pack


def digest(*parts: object) -> int:
    """Return 64 bits that name a content: equal parts, equal digest, on every machine."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest())


def uniform(seed: int, content: int, what: bytes, times: int = 0) -> float:
    """Return a draw from the open interval (0, 1) for one question (``what``) about one content."""
    key = blake2b(pack("<qQI", seed, content, times) + what, digest_size=8).digest()
    return ((int.from_bytes(key) >> 12) + 0.5) / (1 << 52)
