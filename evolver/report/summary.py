"""What became of a run, in figures: read from the ``epoch_summary`` view and the rows themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select, text

from evolver_store.schema import calls, instructions

_RULES = ("no_information_gain", "copied_prompt", "refusal", "only_stop_words", "truncated")


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

    ``eliminated`` counts deaths by rule, users' own after the built-in ones. Tokens and dollars are those of the
    attempts and of the answers to seeds, calls that an earlier run paid for included; ``calls`` are those that this
    run paid for itself (0 with a local model); ``cost_usd`` is ``None`` where no price is known.
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
    deaths = _deaths(conn, run_id)
    ordered = [
        _epoch_stats(epoch, [row for row in rows if row["epoch"] == epoch], deaths.get(epoch, {}))
        for epoch in sorted({row["epoch"] for row in rows})
    ]
    paid = conn.execute(select(func.count()).where(calls.c.run_id == run_id)).scalar()
    spent = [*rows, _seed_answers(conn, run_id)]
    costs = [row["cost_usd"] for row in spent if row["cost_usd"] is not None]
    return RunStats(
        seeds=seeds,
        attempts=sum(epoch.attempts for epoch in ordered),
        survivors=sum(epoch.survivors for epoch in ordered),
        eliminated=_summed(deaths.values()),
        failed=sum(epoch.failed for epoch in ordered),
        calls=int(paid or 0),
        prompt_tokens=sum(int(row["prompt_tokens"]) for row in spent),
        completion_tokens=sum(int(row["completion_tokens"]) for row in spent),
        cost_usd=float(sum(costs)) if costs or not paid else None,
        epochs=ordered,
    )


def _epoch_stats(epoch: int, rows: Sequence[RowMapping], deaths: Mapping[str, int]) -> EpochStats:
    return EpochStats(
        epoch,
        attempts=sum(row["attempts"] for row in rows),
        survivors=sum(row["survivors"] for row in rows),
        eliminated=_summed([deaths]),
        failed=sum(row["failed"] for row in rows),
    )


def _seed_answers(conn: Connection, run_id: int) -> RowMapping:
    """What the answers to seeds took, which the view leaves out."""
    sums = (
        func.coalesce(func.sum(instructions.c.prompt_tokens), 0).label("prompt_tokens"),
        func.coalesce(func.sum(instructions.c.completion_tokens), 0).label("completion_tokens"),
        func.sum(instructions.c.cost_usd).label("cost_usd"),
    )
    seeds = (instructions.c.run_id == run_id, instructions.c.status == "seed")
    return conn.execute(select(*sums).where(*seeds)).mappings().one()


def _deaths(conn: Connection, run_id: int) -> dict[int, dict[str, int]]:
    """Deaths by epoch and rule; the view knows the built-in rules alone."""
    by = (instructions.c.epoch, instructions.c.rule)
    dead = (instructions.c.run_id == run_id, instructions.c.status == "eliminated")
    deaths: dict[int, dict[str, int]] = {}
    for epoch, rule, count in conn.execute(select(*by, func.count()).where(*dead).group_by(*by)):
        deaths.setdefault(epoch, {})[rule] = count
    return deaths


def _summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add counts up, the built-in rules first."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part)
    names = (*_RULES, *sorted(counts.keys() - set(_RULES)))
    return {rule: counts[rule] for rule in names if rule in counts}
