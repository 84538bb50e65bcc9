"""What a mutator is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to ask a model so that it rewrites an instruction.

    ``details`` is stored with the attempt (the format drawn, for one); ``system`` is the system text, if any.
    """

    text: str
    details: Mapping[str, str] = field(default_factory=dict)
    system: str | None = None


class Unusable(ValueError):  # noqa: N818 - the public name, read as a word: raise Unusable("no list")
    """A reply out of which a mutator's ``parse`` cannot take an instruction; the attempt dies, the run goes on."""


class Mutator(Protocol):
    """Data and two pure functions; the engine calls the model.

    ``family`` is ``depth``, ``breadth``, ``code`` or a word of your own. ``version`` rises whenever the prompt
    changes. ``markers`` are phrases of the prompt that must not show in the result. Optional: ``weight``
    (default 1), ``description`` (default: the first line of the docstring) and ``sampling``, how its rewrites are drawn
    where that is not as the run's settings say: ``{"temperature": 0.7}``. A mutator may define
    ``mutate(instruction, rng) -> str`` instead of the two functions, and then needs no call.
    """

    name: str
    family: str
    version: int
    markers: tuple[str, ...]

    def prompt(self, instruction: str, rng: Random) -> Prompt:
        """Build the prompt; everything random comes from ``rng``."""
        ...

    def parse(self, completion: str) -> str:
        """Take the evolved instruction out of the completion.

        Raises:
            Unusable: The completion holds none; any other ``ValueError`` says the same.
        """
        ...
