"""What became of a run, in figures: read from the ``epoch_summary`` view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select, text

from evolver_store.schema import calls

_RULES = ("no_information_gain", "copied_prompt", "refusal", "only_stop_words", "truncated", "other_rules")


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

    ``eliminated`` counts deaths by rule. Tokens and dollars are those of the attempts, calls that an earlier run
    paid for included; ``calls`` are those that this run paid for itself (0 with a local model);
    ``cost_usd`` is ``None`` where no price is known.
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


def run_stats(conn: Connection, run_id: int, seeds: int) -> RunStats:
    """Read the figures of a run."""
    rows = (
        conn.execute(text("SELECT * FROM epoch_summary WHERE run_id = :run"), {"run": run_id})
        .mappings()
        .all()
    )
    ordered = [
        _epoch_stats(epoch, [row for row in rows if row["epoch"] == epoch])
        for epoch in sorted({row["epoch"] for row in rows})
    ]
    paid = conn.execute(select(func.count()).where(calls.c.run_id == run_id)).scalar()
    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    return RunStats(
        seeds=seeds,
        attempts=sum(epoch.attempts for epoch in ordered),
        survivors=sum(epoch.survivors for epoch in ordered),
        eliminated=_deaths(rows),
        failed=sum(epoch.failed for epoch in ordered),
        calls=int(paid or 0),
        prompt_tokens=sum(int(row["prompt_tokens"]) for row in rows),
        completion_tokens=sum(int(row["completion_tokens"]) for row in rows),
        cost_usd=float(sum(costs)) if costs or not paid else None,
        epochs=ordered,
    )


def _epoch_stats(epoch: int, rows: Sequence[RowMapping]) -> EpochStats:
    return EpochStats(
        epoch,
        attempts=sum(row["attempts"] for row in rows),
        survivors=sum(row["survivors"] for row in rows),
        eliminated=_deaths(rows),
        failed=sum(row["failed"] for row in rows),
    )


def _deaths(rows: Sequence[RowMapping]) -> dict[str, int]:
    counts = {rule: sum(row[rule] for row in rows) for rule in _RULES}
    return {rule: count for rule, count in counts.items() if count}
