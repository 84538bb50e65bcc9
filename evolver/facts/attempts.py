"""Attempts and what became of them: by epoch, mutator, outcome and rule, with the judge's answers and the tokens taken.

Three queries, each grouped by the database, so that memory stays flat however many rows there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy import Connection, Select, func, select

from evolver.facts.spending import Spent
from evolver_store.schema import instructions

STRICT_JUDGE = 0.30
"""Share of judged rewrites called equal above which the judge is likely too strict, rather than the rewrites bad."""

FIRST_RULES = ("no_information_gain", "copied_prompt", "refusal", "only_stop_words", "truncated")
"""Rules that stand first, in this order, wherever deaths are listed; all others follow by name."""


@dataclass(slots=True)
class Judged:
    """What the judge said of the rewrites it was asked about."""

    equal: int = 0
    not_equal: int = 0
    undecided: int = 0

    @property
    def asked(self) -> int:
        """Rewrites that came before the judge."""
        return self.equal + self.not_equal + self.undecided

    @property
    def pass_rate(self) -> float | None:
        """Share of rewrites that the judge let live, the undecided included; ``None`` where it was not asked."""
        return None if not self.asked else 1 - self.equal / self.asked

    @property
    def strict(self) -> bool:
        """Whether the judge eliminates more than ``STRICT_JUDGE`` of what it sees."""
        return self.asked > 0 and self.equal / self.asked > STRICT_JUDGE


@dataclass(slots=True)
class Tally:
    """Attempts and what became of them.

    ``eliminated`` counts by rule and ``failed`` by class of error. Tokens and dollars are those that the attempts
    took, calls that an earlier run paid for included; ``cost_usd`` is ``None`` where no price is known.
    """

    attempts: int = 0
    survivors: int = 0
    eliminated: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None

    @property
    def share(self) -> float:
        """Survivors among attempts; 0 where there were none."""
        return self.survivors / self.attempts if self.attempts else 0.0

    @property
    def deaths(self) -> dict[str, int]:
        """Deaths by rule, in the order in which rules are listed."""
        return {rule: self.eliminated[rule] for rule in listed(self.eliminated)}

    def add(self, status: str, rule: str | None, count: int = 1) -> None:
        """Count attempts that ended so; ``rule`` is the class of error of those that failed."""
        self.attempts += count
        if status == "survivor":
            self.survivors += count
        else:
            (self.failed if status == "failed" else self.eliminated)[rule or "?"] += count

    def __iadd__(self, other: Self) -> Self:
        self.attempts += other.attempts
        self.survivors += other.survivors
        self.eliminated += other.eliminated
        self.failed += other.failed
        self.judged.equal += other.judged.equal
        self.judged.not_equal += other.judged.not_equal
        self.judged.undecided += other.judged.undecided
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        if other.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + other.cost_usd
        return self


@dataclass(frozen=True, slots=True)
class Attempts:
    """All attempts of a run in cells of epoch and mutator, in that order."""

    cells: dict[tuple[int, str], Tally]

    def by_epoch(self) -> dict[int, Tally]:
        """Sum over the mutators."""
        return _summed((epoch, tally) for (epoch, _), tally in self.cells.items())

    def by_mutator(self) -> dict[str, Tally]:
        """Sum over the epochs."""
        sums: dict[str, Tally] = _summed((mutator, tally) for (_, mutator), tally in self.cells.items())
        return dict(sorted(sums.items()))

    def total(self) -> Tally:
        """Sum over everything."""
        return _summed(("all", tally) for tally in self.cells.values()).get("all", Tally())


def listed(rules: Iterable[str]) -> list[str]:
    """Return names of rules in the order in which they are listed: the paper's first, all others by name."""
    names = set(rules)
    return [*(rule for rule in FIRST_RULES if rule in names), *sorted(names - set(FIRST_RULES))]


def outcomes(conn: Connection, run_id: int) -> Attempts:
    """Count the attempts of a run by epoch, mutator, outcome and rule; no judge, tokens or dollars are in it.

    The quickest of the queries: where an index has ``rule``, it is read from that alone.
    """
    column = instructions.c
    by: tuple[Any, ...] = (column.epoch, column.mutator, column.status, column.rule)
    ended = column.status.in_(("survivor", "eliminated", "failed"))
    query: Select[Any] = select(*by, func.count()).where(column.run_id == run_id, ended).group_by(*by)
    cells: dict[tuple[int, str], Tally] = {}
    for epoch, mutator, status, rule, count in conn.execute(query):
        cells.setdefault((epoch, mutator or "?"), Tally()).add(status, rule, count)
    return Attempts(dict(sorted(cells.items())))


def add_judged(conn: Connection, run_id: int, to: Attempts) -> None:
    """Count in what the judge said; reads every attempt's ``details``."""
    column = instructions.c
    judge = column.details["judge"].as_string()
    by: tuple[Any, ...] = (column.epoch, column.mutator, judge)
    query: Select[Any] = (
        select(*by, func.count()).where(column.run_id == run_id, column.epoch > 0).group_by(*by)
    )
    for epoch, mutator, said, count in conn.execute(query):
        cell = to.cells.get((epoch, mutator or "?"))
        if cell is not None and said in ("equal", "not_equal", "undecided"):
            setattr(cell.judged, said, getattr(cell.judged, said) + count)


def add_taken(conn: Connection, run_id: int, to: Attempts) -> None:
    """Count in the tokens and dollars that the attempts took; reads every attempt's row."""
    column = instructions.c
    sums = (func.sum(column[name]) for name in ("prompt_tokens", "completion_tokens", "cost_usd"))
    by: tuple[Any, ...] = (column.epoch, column.mutator)
    query: Select[Any] = select(*by, *sums).where(column.run_id == run_id, column.epoch > 0).group_by(*by)
    for epoch, mutator, prompt_tokens, completion_tokens, cost in conn.execute(query):
        cell = to.cells.get((epoch, mutator or "?"))
        if cell is not None:
            cell.prompt_tokens += int(prompt_tokens)
            cell.completion_tokens += int(completion_tokens)
            if cost is not None:
                cell.cost_usd = (cell.cost_usd or 0.0) + float(cost)


def attempts_of(conn: Connection, run_id: int) -> Attempts:
    """Read everything about a run's attempts: outcomes, the judge, tokens and dollars."""
    found = outcomes(conn, run_id)
    add_judged(conn, run_id, found)
    add_taken(conn, run_id, found)
    return found


def taken(attempts: Attempts, seeds: Spent) -> Spent:
    """Return the tokens and dollars that a run's rows took, whoever paid for them; ``calls`` is 0: nobody counts them.

    Args:
        attempts: With tokens and dollars.
        seeds: What the answers to seeds took.
    """
    total = attempts.total()
    of_attempts = Spent(0, total.prompt_tokens, total.completion_tokens, total.cost_usd)
    return of_attempts + Spent(0, seeds.prompt_tokens, seeds.completion_tokens, seeds.cost_usd)


def _summed(parts: Iterable[tuple[Any, Tally]]) -> dict[Any, Tally]:
    sums: dict[Any, Tally] = {}
    for key, part in parts:
        total = sums.setdefault(key, Tally())
        total += part
    return sums
