"""What became of a run, in the figures that a finished run returns and prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from evolver.facts.attempts import Tally, add_taken, outcomes, taken
from evolver.facts.spending import Spent, paid_by, taken_by_seeds


@dataclass(frozen=True, slots=True)
class EpochStats:
    """One epoch of a run: attempts and what became of them."""

    epoch: int
    attempts: int
    survivors: int
    eliminated: Mapping[str, int]
    failed: int


@dataclass(frozen=True, slots=True)
class RunStats:
    """A run in figures.

    ``eliminated`` counts deaths by rule, the built-in ones first. ``calls``, tokens and ``cost_usd`` are those that
    the run paid for itself, in all its sessions (0 with a local model); ``cost_usd`` is ``None`` where no price is
    known. ``taken`` is what its rows took, whoever paid: answers from the cache and of local models included.
    """

    seeds: int
    attempts: int
    survivors: int
    eliminated: Mapping[str, int]
    failed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    epochs: list[EpochStats] = field(default_factory=list)
    taken: Spent = field(default_factory=Spent)


def run_stats(conn: Connection, run_id: int, seeds: int) -> RunStats:
    """Read the figures of a run."""
    attempts = outcomes(conn, run_id)
    add_taken(conn, run_id, attempts)
    total, paid = attempts.total(), paid_by(conn, run_id)
    return RunStats(
        seeds=seeds,
        attempts=total.attempts,
        survivors=total.survivors,
        eliminated=total.deaths,
        failed=total.failed.total(),
        calls=paid.calls,
        prompt_tokens=paid.prompt_tokens,
        completion_tokens=paid.completion_tokens,
        cost_usd=paid.cost_usd if paid.calls else 0.0,
        epochs=[_epoch_stats(epoch, tally) for epoch, tally in attempts.by_epoch().items()],
        taken=taken(attempts, taken_by_seeds(conn, run_id)),
    )


def _epoch_stats(epoch: int, tally: Tally) -> EpochStats:
    return EpochStats(epoch, tally.attempts, tally.survivors, tally.deaths, tally.failed.total())
