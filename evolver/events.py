"""What a run tells while it goes: small typed events, handed to one listener on the event loop.

A listener is called often (once a call) and must return at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from evolver.calls.events import BatchProgress, CallEnded, CallRetried, Notice
from evolver.facts.attempts import Tally
from evolver.facts.spending import Spent

__all__ = [
    "AttemptEnded",
    "BatchProgress",
    "CallEnded",
    "CallRetried",
    "Event",
    "Listener",
    "Merging",
    "Notice",
    "PoolRead",
    "RunStarted",
    "SeedAnswered",
    "Stopping",
]


@dataclass(frozen=True, slots=True)
class PoolRead:
    """Seeds stored so far, while the pool is read."""

    seeds: int
    skipped: int


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run is about to ask its first question.

    ``done_by_epoch`` counts the attempts that earlier sessions finished, from epoch 0 (always 0) on;
    ``to_answer`` are seeds that wait for a response; ``paid`` is what the run's earlier sessions paid for, ``outcomes``
    what became of their attempts.
    """

    run: str
    seeds: int
    epochs: int
    done_by_epoch: tuple[int, ...]
    to_answer: int
    resumed: bool
    paid: Spent = field(default_factory=Spent)
    outcomes: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt is decided: ``survivor``, ``eliminated`` or ``failed``, by which rule and why."""

    id: int
    epoch: int
    mutator: str
    status: str
    rule: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SeedAnswered:
    """A seed got the model's response, or that was dropped by a rule and the seed is as it was."""

    id: int
    dropped: bool


@dataclass(frozen=True, slots=True)
class Merging:
    """Rows of the dataset written so far, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """No new call starts; those in flight are finished and written.

    ``wished`` says that somebody asked for it, and may do so again to end at once.
    """

    reason: str
    in_flight: int
    wished: bool = False


Event = (
    PoolRead
    | RunStarted
    | CallEnded
    | CallRetried
    | BatchProgress
    | AttemptEnded
    | SeedAnswered
    | Notice
    | Stopping
    | Merging
)
Listener = Callable[[Event], None]
