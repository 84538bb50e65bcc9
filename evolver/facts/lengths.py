"""How long the texts of a run are, epoch by epoch, counted by the database: no text is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Select, func, select

from evolver_store.schema import instructions

Histogram = Sequence[tuple[int, int]]
"""Lengths in characters, and how many texts have each; in the order of lengths."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long seeds (epoch 0) or survivors are, in characters; responses where there are any."""

    epoch: int
    rows: int
    instruction_mean: float
    instruction_median: float
    response_mean: float | None
    response_median: float | None


def lengths_of(conn: Connection, run_id: int) -> list[Lengths]:
    """Return means and medians by epoch; exact, since every length is counted."""
    instruction = histograms(conn, run_id, "instruction")
    response = histograms(conn, run_id, "response")
    return [
        Lengths(
            epoch,
            sum(count for _, count in histogram),
            mean(histogram),
            median(histogram),
            mean(response[epoch]) if epoch in response else None,
            median(response[epoch]) if epoch in response else None,
        )
        for epoch, histogram in sorted(instruction.items())
    ]


def histograms(
    conn: Connection, run_id: int, text: Literal["instruction", "response"]
) -> dict[int, Histogram]:
    """Count the texts of seeds and survivors by epoch and length.

    Reads every such row of the run: about a second for 260,000 on SQLite.
    """
    column = instructions.c
    length = func.length(column[text])
    query: Select[Any] = select(column.epoch, length, func.count()).where(
        column.run_id == run_id, column.status.in_(("seed", "survivor")), column[text].is_not(None)
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for epoch, characters, count in conn.execute(query.group_by(column.epoch, length)):
        found.setdefault(epoch, []).append((characters, count))
    return {epoch: sorted(histogram) for epoch, histogram in found.items()}


def mean(histogram: Histogram) -> float:
    """Return the mean length."""
    return sum(length * count for length, count in histogram) / sum(count for _, count in histogram)


def median(histogram: Histogram) -> float:
    """Return the middle length, or the mean of the two in the middle."""
    total = sum(count for _, count in histogram)
    return (_at(histogram, (total - 1) // 2) + _at(histogram, total // 2)) / 2


def _at(histogram: Histogram, place: int) -> int:
    for length, count in histogram:
        if place < count:
            return length
        place -= count
    raise IndexError(place)
