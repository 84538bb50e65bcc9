"""What became of a run, in figures: read from the ``epoch_summary`` view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select, text

from evolver_store.schema import calls

_RULES = ("no_information_gain", "copied_prompt", "refusal", "only_stop_words", "truncated", "other_rules")


@dataclass(frozen=True, slots=True)
class EpochStats:
    """One epoch of a run: attempts and what became of them."""

    epoch: int
    attempts: int
    survivors: int
    eliminated: Counter[str]
    failed: int


@dataclass(frozen=True, slots=True)
class RunStats:
    """A run in figures.

    ``eliminated`` counts deaths by rule. Tokens and dollars are those of the attempts, calls that an earlier run
    paid for included; ``calls`` are those that this run paid for itself (0 with a local model).
    """

    seeds: int
    attempts: int
    survivors: int
    eliminated: Counter[str]
    failed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    epochs: list[EpochStats] = field(default_factory=list)


def run_stats(conn: Connection, run_id: int, seeds: int) -> RunStats:
    """Read the figures of a run."""
    rows = (
        conn.execute(text("SELECT * FROM epoch_summary WHERE run_id = :run"), {"run": run_id})
        .mappings()
        .all()
    )
    epochs: dict[int, EpochStats] = {}
    for row in rows:
        before = epochs.get(row["epoch"], EpochStats(row["epoch"], 0, 0, Counter(), 0))
        deaths = Counter({rule: row[rule] for rule in _RULES if row[rule]})
        grown = EpochStats(
            row["epoch"],
            before.attempts + row["attempts"],
            before.survivors + row["survivors"],
            before.eliminated + deaths,
            before.failed + row["failed"],
        )
        epochs[row["epoch"]] = grown
    ordered = [epochs[epoch] for epoch in sorted(epochs)]
    paid = conn.execute(select(func.count()).where(calls.c.run_id == run_id)).scalar()
    return RunStats(
        seeds=seeds,
        attempts=sum(epoch.attempts for epoch in ordered),
        survivors=sum(epoch.survivors for epoch in ordered),
        eliminated=sum((epoch.eliminated for epoch in ordered), Counter()),
        failed=sum(epoch.failed for epoch in ordered),
        calls=int(paid or 0),
        prompt_tokens=sum(int(row["prompt_tokens"]) for row in rows),
        completion_tokens=sum(int(row["completion_tokens"]) for row in rows),
        cost_usd=float(sum(row["cost_usd"] or 0.0 for row in rows)),
        epochs=ordered,
    )
