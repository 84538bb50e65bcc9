"""Reproducible draws that cost a fraction of a microsecond."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Self, TypeVar

T = TypeVar("T")

_MULTIPLIER, _INCREMENT, _MASK = 6364136223846793005, 1442695040888963407, (1 << 64) - 1


class Dice:
    """A stream of draws that depends on its seed alone.

    ``random.Random`` takes longer to seed than the embedded model takes to answer, so this is Knuth's
    64-bit linear congruential generator, of which the upper half of each state is used.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    @classmethod
    def of(cls, *texts: str) -> Self:
        """Seed from texts; lone surrogates are accepted."""
        digest = blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return cls(int.from_bytes(digest))

    def roll(self, sides: int) -> int:
        """Draw from ``range(sides)``."""
        self._state = state = self._state * _MULTIPLIER + _INCREMENT & _MASK
        return (state >> 32) % sides

    def pick(self, choices: Sequence[T]) -> T:
        """Draw one of ``choices``."""
        return choices[self.roll(len(choices))]

    def sample(self, choices: Sequence[T], size: int) -> list[T]:
        """Draw ``size`` neighbours of a ring, in order: distinct as long as ``size`` does not exceed the choices."""
        start, many = self.roll(len(choices)), len(choices)
        return [choices[(start + place) % many] for place in range(size)]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """Return every choice once, in a drawn order."""
        items = list(choices)
        for last in range(len(items) - 1, 0, -1):
            other = self.roll(last + 1)
            items[last], items[other] = items[other], items[last]
        return items
