"""What a rule reads and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An evolved instruction on trial.

    ``response`` is ``None`` until the model has answered, so rules that read the instruction alone run
    before that call is paid for. ``finish_reason`` is that of the latest completion: the rewrite's before the
    answer, the answer's after it. ``markers`` are the phrases of the evolving prompt that must not show.
    ``refused`` is the
    provider's own refusal text, where it marks one apart from the answer.
    """

    parent: str
    instruction: str
    response: str | None = None
    finish_reason: str = "stop"
    mutator: str = ""
    markers: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """A death: the rule's name and the measured value in words, both stored with the attempt."""

    rule: str
    reason: str


Rule = Callable[[Candidate], Drop | None]
