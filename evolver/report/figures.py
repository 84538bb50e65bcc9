"""A run in all its figures: epoch by mutator by rule, the judge, lengths, tokens and cost.

Grouped by the database: memory stays flat however many rows there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, func, select

from evolver_store.schema import calls, instructions

STRICT_JUDGE = 0.30
"""Share of judged rewrites called equal above which the judge is likely too strict, rather than the rewrites bad."""


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

    ``eliminated`` counts by rule and ``failed`` by class of error. Tokens and dollars are those of the attempts,
    calls that an earlier run paid for included; ``cost_usd`` is ``None`` where no price is known.
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


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long seeds (epoch 0) or survivors are, in characters; responses where there are any."""

    epoch: int
    rows: int
    instruction_mean: float
    instruction_median: float
    response_mean: float | None
    response_median: float | None


@dataclass(frozen=True, slots=True)
class Paid:
    """Calls that a run paid for itself."""

    purpose: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything ``evolve stats`` shows."""

    cells: dict[tuple[int, str], Tally]
    """By epoch and mutator, in that order."""
    lengths: list[Lengths]
    paid: list[Paid]

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


def run_figures(conn: Connection, run_id: int) -> Figures:
    """Read the figures of a run, finished or not."""
    return Figures(_cells(conn, run_id), _lengths(conn, run_id), _paid(conn, run_id))


def _cells(conn: Connection, run_id: int) -> dict[tuple[int, str], Tally]:
    column = instructions.c
    judge = column.details["judge"].as_string()
    by: tuple[Any, ...] = (column.epoch, column.mutator, column.status, column.rule, judge)
    sums = (func.sum(column[name]) for name in ("prompt_tokens", "completion_tokens", "cost_usd"))
    query = select(*by, func.count(), *sums).where(column.run_id == run_id, column.epoch > 0).group_by(*by)
    cells: dict[tuple[int, str], Tally] = {}
    for row in conn.execute(query):
        _count(cells.setdefault((row[0], row[1]), Tally()), row)
    return dict(sorted(cells.items()))


def _count(tally: Tally, row: Sequence[Any]) -> None:
    _, _, status, rule, judge, count, prompt_tokens, completion_tokens, cost = row
    tally.attempts += count
    if status == "survivor":
        tally.survivors += count
    else:
        (tally.failed if status == "failed" else tally.eliminated)[rule] += count
    if judge in ("equal", "not_equal", "undecided"):
        setattr(tally.judged, judge, getattr(tally.judged, judge) + count)
    tally.prompt_tokens += int(prompt_tokens)
    tally.completion_tokens += int(completion_tokens)
    if cost is not None:
        tally.cost_usd = (tally.cost_usd or 0.0) + cost


def _summed(parts: Iterable[tuple[Any, Tally]]) -> dict[Any, Tally]:
    sums: dict[Any, Tally] = {}
    for key, part in parts:
        total = sums.setdefault(key, Tally())
        total.attempts += part.attempts
        total.survivors += part.survivors
        total.eliminated += part.eliminated
        total.failed += part.failed
        total.judged.equal += part.judged.equal
        total.judged.not_equal += part.judged.not_equal
        total.judged.undecided += part.judged.undecided
        total.prompt_tokens += part.prompt_tokens
        total.completion_tokens += part.completion_tokens
        if part.cost_usd is not None:
            total.cost_usd = (total.cost_usd or 0.0) + part.cost_usd
    return sums


def _lengths(conn: Connection, run_id: int) -> list[Lengths]:
    ofs = [_histograms(conn, run_id, text) for text in ("instruction", "response")]
    lengths = []
    for epoch, histogram in sorted(ofs[0].items()):
        responses = ofs[1].get(epoch)
        lengths.append(
            Lengths(
                epoch,
                sum(count for _, count in histogram),
                _mean(histogram),
                _median(histogram),
                _mean(responses) if responses else None,
                _median(responses) if responses else None,
            )
        )
    return lengths


def _histograms(conn: Connection, run_id: int, text: str) -> dict[int, list[tuple[int, int]]]:
    """Count texts by epoch and length: exact means and medians follow, and no text is fetched."""
    column = instructions.c
    length = func.length(column[text])
    query: Select[Any] = select(column.epoch, length, func.count()).where(
        column.run_id == run_id, column.status.in_(("seed", "survivor")), column[text].is_not(None)
    )
    histograms: dict[int, list[tuple[int, int]]] = {}
    for epoch, characters, count in conn.execute(query.group_by(column.epoch, length)):
        histograms.setdefault(epoch, []).append((characters, count))
    return histograms


def _mean(histogram: list[tuple[int, int]]) -> float:
    return sum(length * count for length, count in histogram) / sum(count for _, count in histogram)


def _median(histogram: list[tuple[int, int]]) -> float:
    """Return the middle length, or the mean of the two in the middle."""
    ordered = sorted(histogram)
    total = sum(count for _, count in ordered)
    return (_at(ordered, (total - 1) // 2) + _at(ordered, total // 2)) / 2


def _at(ordered: list[tuple[int, int]], place: int) -> int:
    for length, count in ordered:
        if place < count:
            return length
        place -= count
    raise IndexError(place)


def _paid(conn: Connection, run_id: int) -> list[Paid]:
    column = calls.c
    sums = (func.sum(column[name]) for name in ("prompt_tokens", "completion_tokens", "cost_usd"))
    query = select(column.purpose, func.count(), *sums).where(column.run_id == run_id)
    return [
        Paid(purpose, count, int(prompt), int(completion), cost)
        for purpose, count, prompt, completion, cost in conn.execute(
            query.group_by(column.purpose).order_by(column.purpose)
        )
    ]
