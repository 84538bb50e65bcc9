"""A run in all its figures, as ``evolve stats`` shows them: epoch by mutator by rule, the judge, lengths, money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from evolver.facts.attempts import Attempts, attempts_of, taken
from evolver.facts.lengths import Lengths, lengths_of
from evolver.facts.spending import (
    Paid,
    Spent,
    by_purpose,
    paid_calls,
    taken_by_seeds,
    thought_by_purpose,
    total_of,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything ``evolve stats`` shows.

    ``paid`` is what the run paid for itself, ``taken`` what its rows took, whoever paid for it: a run that was
    served the calls of an earlier one, or that asks a local model, takes more than it pays for. ``thought`` is the
    tokens of reasoning among those of the paid completions, by purpose.
    """

    attempts: Attempts
    lengths: list[Lengths]
    paid: list[Paid]
    taken: Spent
    thought: Mapping[str, int] = field(default_factory=dict)

    def paid_by_purpose(self) -> dict[str, Spent]:
        """Sum what was paid over epochs and models."""
        return by_purpose(self.paid)

    def paid_in_all(self) -> Spent:
        """Sum everything that was paid."""
        return total_of(paid.spent for paid in self.paid)


def run_figures(conn: Connection, run_id: int) -> Figures:
    """Read the figures of a run, finished or not."""
    attempts = attempts_of(conn, run_id)
    return Figures(
        attempts,
        lengths_of(conn, run_id),
        paid_calls(conn, run_id),
        taken(attempts, taken_by_seeds(conn, run_id)),
        thought_by_purpose(conn, run_id),
    )
