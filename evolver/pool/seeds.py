"""What comes out of a pool: seeds, skipped rows, and the account of both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MAX_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Seed:
    """An instruction to evolve, exactly as the pool holds it.

    ``ordinal`` is the row's place in the pool, from 0, skipped rows counted; a row that holds several
    instances takes one place for each. ``response`` is ``None`` where the pool has none that can be used.
    ``details`` carries the row's own ``id`` or ``idx``.
    """

    ordinal: int
    instruction: str
    response: str | None
    details: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that gave no seed: its ordinal, its place in words (``line 17``, ``record 17``), and why."""

    ordinal: int
    where: str
    reason: str


@dataclass(slots=True)
class PoolReport:
    """The account of one reading; complete once the pool has been read to its end.

    ``read`` counts rows, skipped ones included. ``unanswered`` counts the seeds whose response was left
    out, by reason. ``examples`` holds the first rows skipped, at most ``MAX_EXAMPLES``.
    """

    format: str = ""
    read: int = 0
    seeds: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    examples: list[Skip] = field(default_factory=list)

    def add(self, skip: Skip) -> None:
        """Count a skipped row, and keep it as an example while there is room."""
        self.skipped[skip.reason] += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(skip)

    def skipped_in_words(self) -> str:
        """Return the skipped rows by reason, each with its first place: ``2 duplicate (first: line 17)``.

        The most frequent reason comes first; empty if nothing was skipped.
        """
        places: dict[str, str] = {}
        for skip in self.examples:
            places.setdefault(skip.reason, f" (first: {skip.where})")
        return ", ".join(
            f"{count:,} {reason}{places.get(reason, '')}" for reason, count in self.skipped.most_common()
        )
