"""Cleaning: leaks of benchmarks, their descent, exact and near duplicates, each dropped row with its reason.

One reading of all texts, in the order of the store. A row goes for the first reason of this order: it is
contaminated itself, its family is, a rule drops it, it equals another row, it is near to another row.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from evolver.elimination.audit import compares, every, verdicts
from evolver.elimination.rules import RuleSet
from evolver.elimination.verdict import Candidate, Drop
from evolver.merge.collect import epoch_of, key_of, lineage_of
from evolver.merge.job import DEFAULT_THRESHOLD, Dedup
from evolver.merge.reader import Reader
from evolver.text import fold

if TYPE_CHECKING:
    from evolver.merge.contamination import Contamination, Finding
    from evolver.merge.near import NearDuplicates

Reason = str
"""``contaminated``, ``contaminated_family``, ``exact_duplicate``, ``near_duplicate``, or ``rule NAME``."""

_TOLD = 2_000  # rows between two calls of on_read
_DIGEST_BYTES = 16
_BATCH_CHARACTERS = 500_000  # characters of the rows that are looked at together


class Dropped(NamedTuple):
    """A row that was dropped, or flagged as a descendant of a contaminated one.

    ``other`` is the key of the row kept in its place, or of the contaminated ancestor; ``score`` the exact Jaccard
    index of a near-duplicate, 1 for an exact one, and the score of the finding.
    """

    key: int
    reason: Reason
    other: int | None
    score: float
    finding: Finding | None = None
    rule: Drop | None = None


@dataclass(slots=True)
class Cleaned:
    """Keys that stay, in ascending order; what went; and what stays though an ancestor is contaminated."""

    keys: array[int]
    dropped: list[Dropped] = field(default_factory=list)
    flagged: list[Dropped] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many rows went for each reason."""
        return dict(sorted(Counter(one.reason for one in self.dropped).items()))


@dataclass(slots=True)
class Cleaner:
    """Cleans the keys of open sources; used once.

    ``families`` drops every descendant of a contaminated row, else they are flagged alone. ``spare_family`` lets two
    rows of one lineage be near to each other.
    """

    dedup: Dedup = "none"
    threshold: float = DEFAULT_THRESHOLD
    contamination: Contamination | None = None
    families: bool = False
    spare_family: bool = False
    rules: RuleSet | None = None

    def clean(
        self, readers: Sequence[Reader], keys: array[int], on_read: Callable[[int], None] = lambda rows: None
    ) -> Cleaned:
        """Return which of ``keys`` stay; ``on_read`` is told how many rows have been read, now and then."""
        if self.dedup == "none" and self.contamination is None and self.rules is None:
            return Cleaned(keys)
        reading = _Reading(self, set(keys))
        for source, reader in enumerate(readers):
            for id_, parent, instruction, response in reader.texts():
                parent_key = None if parent is None else key_of(source, parent)
                reading.take(key_of(source, id_), parent_key, instruction, response)
                if reading.read % _TOLD == 0:
                    on_read(reading.read)
        return reading.cleaned()


class _Text(NamedTuple):
    """A row, by its key and that of its parent."""

    key: int
    parent: int | None
    instruction: str
    response: str
    parent_text: str | None


class _Reading:
    """What is learned while the texts go by."""

    def __init__(self, cleaner: Cleaner, wanted: set[int]) -> None:
        self.read = 0
        self._waiting: list[_Text] = []
        self._rules = () if cleaner.rules is None else every(cleaner.rules)
        self._lineage: dict[int, str] = {}
        self._characters = 0
        self._cleaner = cleaner
        self._wanted = wanted
        self._near: NearDuplicates | None = None
        if cleaner.dedup == "near":
            from evolver.merge.near import NearDuplicates  # brings numpy, which most merges can do without

            self._near = NearDuplicates(cleaner.threshold)
        self._keys = array("q")
        self._digests = bytearray()
        # Of a row that is contaminated, itself; of a descendant, the nearest.
        self._ancestors: dict[int, int] = {}
        self._dropped: list[Dropped] = []
        self._flagged: list[Dropped] = []

    def take(self, key: int, parent: int | None, instruction: str, response: str) -> None:
        """Take a row, after its parent. One that is not wanted may still be a contaminated ancestor."""
        self.read += 1
        before = None
        if self._rules:
            if parent is None:
                self._lineage.clear()  # rows come lineage by lineage
            before = None if parent is None else self._lineage.get(parent)
            self._lineage[key] = instruction
        self._waiting.append(_Text(key, parent, instruction, response, before))
        self._characters += len(instruction) + len(response)
        if self._characters >= _BATCH_CHARACTERS:
            self._look()

    def _look(self) -> None:
        """Look at the rows that wait, many at once."""
        waiting, self._waiting, self._characters = self._waiting, [], 0
        findings: Sequence[Finding | None] = [None] * len(waiting)
        if self._cleaner.contamination is not None:
            findings = self._cleaner.contamination.find_all(
                [(one.instruction, one.response) for one in waiting]
            )
        clean = [
            one.instruction
            for one, finding in zip(waiting, findings, strict=True)
            if self._stays(one, finding)
        ]
        if self._cleaner.dedup != "none":
            for instruction in clean:
                data = fold(instruction).encode("utf-8", "surrogatepass")
                self._digests += blake2b(data, digest_size=_DIGEST_BYTES).digest()
        if self._near is not None:
            self._near.add(clean)

    def cleaned(self) -> Cleaned:
        """Return what stays; duplicates are looked for from the earliest generation on, then by source and id."""
        self._look()
        places = sorted(range(len(self._keys)), key=lambda place: epoch_of(self._keys[place]))
        gone: set[int] = set()
        if self._cleaner.dedup != "none":
            gone.update(self._exact(places))
        if self._near is not None:
            gone.update(self._nearly(self._near, [place for place in places if place not in gone]))
        kept = array("q", (key for place, key in enumerate(self._keys) if place not in gone))
        stays = set(kept) if self._flagged else set()
        flagged = [one for one in self._flagged if one.key in stays]
        return Cleaned(kept, self._dropped, flagged)

    def _stays(self, one: _Text, finding: Finding | None) -> bool:
        """Whether a row is wanted, and does not go because of a benchmark."""
        key = one.key
        wanted = key in self._wanted
        if finding is not None:
            self._ancestors[key] = key
            if wanted:
                self._dropped.append(Dropped(key, "contaminated", None, finding.score, finding))
            return False
        ancestor = None if one.parent is None else self._ancestors.get(one.parent)
        if ancestor is not None:
            self._ancestors[key] = ancestor
            if wanted:
                descendant = Dropped(key, "contaminated_family", ancestor, 1.0)
                (self._dropped if self._cleaner.families else self._flagged).append(descendant)
            wanted = wanted and not self._cleaner.families
        if wanted and (drop := self._ruled_out(one)) is not None:
            self._dropped.append(Dropped(key, f"rule {drop.rule}", None, 1.0, rule=drop))
            return False
        if wanted:
            self._keys.append(key)
        return wanted

    def _ruled_out(self, one: _Text) -> Drop | None:
        """Return the first verdict on a row; rules that compare say nothing of one without a parent."""
        if not self._rules:
            return None
        candidate = Candidate(one.parent_text or "", one.instruction, one.response)
        asked = [rule for rule in self._rules if one.parent_text is not None or not compares(rule)]
        return next((drop for _, drop in verdicts(asked, candidate)), None)

    def _exact(self, places: Iterable[int]) -> Iterable[int]:
        first: dict[bytes, int] = {}
        for place in places:
            digest = bytes(self._digests[place * _DIGEST_BYTES : (place + 1) * _DIGEST_BYTES])
            kept = first.setdefault(digest, place)
            if kept != place:
                self._dropped.append(Dropped(self._keys[place], "exact_duplicate", self._keys[kept], 1.0))
                yield place

    def _nearly(self, near: NearDuplicates, places: Iterable[int]) -> Iterable[int]:
        spared = self._in_one_lineage if self._cleaner.spare_family else _never
        for place, kept, jaccard in near.find(places, spared):
            self._dropped.append(Dropped(self._keys[place], "near_duplicate", self._keys[kept], jaccard))
            yield place

    def _in_one_lineage(self, place: int, other: int) -> bool:
        return lineage_of(self._keys[place]) == lineage_of(self._keys[other])


def _never(_place: int, _other: int) -> bool:
    return False
