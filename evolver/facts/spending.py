"""Tokens and dollars: what a run paid for itself, and what its rows took, whoever paid for that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from evolver_store.schema import calls, instructions


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls, and the tokens and dollars they took.

    ``cost_usd`` is ``None`` where no call has a known price, none at all included; ``unpriced`` counts the calls
    whose price is not known, which ``cost_usd`` leaves out.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    unpriced: int = 0

    def __add__(self, other: Spent) -> Spent:
        return self._joined(other, 1)

    def __sub__(self, other: Spent) -> Spent:
        """Take away what was spent before; what is then without a priced call costs nothing known."""
        left = self._joined(other, -1)
        if left.calls > left.unpriced:
            return left
        return Spent(left.calls, left.prompt_tokens, left.completion_tokens, None, left.unpriced)

    def _joined(self, other: Spent, sign: int) -> Spent:
        costs = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Spent(
            self.calls + sign * other.calls,
            self.prompt_tokens + sign * other.prompt_tokens,
            self.completion_tokens + sign * other.completion_tokens,
            (self.cost_usd or 0.0) + sign * (other.cost_usd or 0.0) if costs else None,
            self.unpriced + sign * other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class Paid:
    """Calls that a run paid for itself, of one purpose, epoch (0 is the answers to seeds) and model."""

    run_id: int
    epoch: int
    purpose: str
    model: str
    spent: Spent


def paid_calls(conn: Connection, run_id: int | None = None) -> list[Paid]:
    """Return what a run paid for, or what every run of the store did; read from an index alone."""
    columns = calls.c.run_id, calls.c.epoch, calls.c.purpose, calls.c.model  # as the index has them
    priced = func.count(calls.c.cost_usd)
    query = select(*columns, func.count(), *_sums(calls), func.count() - priced).group_by(*columns)
    if run_id is not None:
        query = query.where(calls.c.run_id == run_id)
    return [
        Paid(run, epoch or 0, purpose, model, _spent(*sums))
        for run, epoch, purpose, model, *sums in conn.execute(query.order_by(*columns))
    ]


def paid_by(conn: Connection, run_id: int) -> Spent:
    """Return what a run has paid for in all, up to now."""
    return total_of(paid.spent for paid in paid_calls(conn, run_id))


def thought_by_purpose(conn: Connection, run_id: int) -> dict[str, int]:
    """Return the tokens of reasoning among those of the completions that a run paid for, where there are any.

    No index holds them, so every call of the run is read.
    """
    tokens = func.sum(calls.c.reasoning_tokens)
    query = select(calls.c.purpose, tokens).where(calls.c.run_id == run_id).group_by(calls.c.purpose)
    return {purpose: int(count) for purpose, count in conn.execute(query) if count}


def by_purpose(paid: Iterable[Paid]) -> dict[str, Spent]:
    """Sum over runs, epochs and models, the purposes in the order of their names."""
    sums: dict[str, Spent] = {}
    for one in paid:
        sums[one.purpose] = sums.get(one.purpose, Spent()) + one.spent
    return dict(sorted(sums.items()))


def total_of(parts: Iterable[Spent]) -> Spent:
    """Add up."""
    return sum(parts, Spent())


def taken_by_seeds(conn: Connection, run_id: int) -> Spent:
    """Return what the answers to a run's seeds took; ``calls`` counts the seeds that a model answered."""
    column = instructions.c
    query: Select[Any] = select(
        func.count(), *_sums(instructions), func.count() - func.count(column.cost_usd)
    )
    row = conn.execute(
        query.where(column.run_id == run_id, column.status == "seed", column.model.is_not(None))
    ).one()
    return _spent(*row)


def _sums(of: Any) -> tuple[Any, ...]:
    return tuple(func.sum(of.c[name]) for name in ("prompt_tokens", "completion_tokens", "cost_usd"))


def _spent(
    count: int, prompt: int | None, completion: int | None, cost: float | None, unpriced: int
) -> Spent:
    dollars = None if cost is None else float(cost)
    return Spent(int(count), int(prompt or 0), int(completion or 0), dollars, int(unpriced))
