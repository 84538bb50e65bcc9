"""What comes out of a pool: seeds, skipped rows, and the account of both."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MAX_EXAMPLES = 20
_REMEDIES = {
    "system texts": " (--join system)",
    "contexts": " (--join context)",
    "later user turns": " (--turns all)",
}


@dataclass(frozen=True, slots=True)
class Seed:
    """An instruction to evolve, exactly as the pool holds it.

    ``ordinal`` is the row's place in the pool, from 0, skipped rows counted; a row that holds several
    instances takes one place for each. ``response`` is ``None`` where the pool has none that can be used.
    ``details`` carries the row's own ``id`` or ``idx``, and under ``columns`` its further columns.
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
    out, by reason. ``unused`` counts what of the rows went into no seed: system texts, later turns, contexts.
    ``examples`` holds the first rows skipped, at most ``MAX_EXAMPLES``. ``format`` names format and rows, ``packing``
    the compression; ``encoding`` is what text was read in, and ``revision`` the commit of a dataset on the Hub.
    """

    format: str = ""
    packing: str = ""
    encoding: str = "utf-8"
    revision: str | None = None
    read: int = 0
    seeds: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    unused: Counter[str] = field(default_factory=Counter)
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

    def read_as(self) -> str:
        """Return how the pool was read, in words: ``table of prompt rows, gzip, cp1252 (it is no UTF-8)``."""
        guessed = f"{self.encoding} (it is no UTF-8)" if self.encoding == "cp1252" else self.encoding
        parts = (self.format, self.packing, guessed if self.encoding != "utf-8" else "", self.revision or "")
        return ", ".join(part for part in parts if part)

    def unused_in_words(self) -> str:
        """Return what was not used, and the option that uses it: ``3 system texts (--join system)``; or nothing."""
        return ", ".join(
            f"{count:,} {what}{_REMEDIES.get(what, '')}" for what, count in self.unused.most_common() if count
        )

    def as_json(self) -> dict[str, object]:
        """Return the account as plain JSON, as a run keeps it."""
        told: dict[str, object] = {
            "format": self.format,
            "packing": self.packing or None,
            "encoding": self.encoding,
            "read": self.read,
            "seeds": self.seeds,
            "skipped": dict(self.skipped),
            "unanswered": dict(self.unanswered),
            "unused": {what: count for what, count in self.unused.items() if count},
        }
        return told if self.revision is None else {**told, "revision": self.revision}
