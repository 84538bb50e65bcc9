"""What of finished rows would die of which rule; no model is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.rules import EVOLVER, LoadedRule, RuleSet
from evolver.elimination.verdict import Candidate, Drop


@dataclass(frozen=True, slots=True)
class Sample:
    """A row that would die: its place in the data, counted from 0, its text, and why."""

    row: int
    instruction: str
    reason: str


@dataclass(slots=True)
class Death:
    """How many rows a rule would drop, and the first few of them."""

    rule: str
    rows: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of rows: ``rows`` looked at, ``dying`` of at least one rule, and every rule's own count.

    A row counts for every rule that would drop it, as none of them stops the others here. ``not_asked`` are the
    rules that compare a rewrite with its parent, which such rows do not have.
    """

    rows: int
    dying: int
    deaths: tuple[Death, ...]
    not_asked: tuple[str, ...]


def audit(rows: Iterable[tuple[int, str, str | None]], rules: RuleSet, *, samples: int = 3) -> Audit:
    """Ask every rule about every row: its place, its instruction, its response if it has one.

    Raises:
        PluginError: A rule of the user's own raised.
    """
    asked, not_asked = _split(rules)
    deaths = {rule.name: Death(rule.name) for rule in asked}
    count = dying = 0
    for place, instruction, response in rows:
        count += 1
        drops = list(verdicts(asked, Candidate("", instruction, response)))
        dying += bool(drops)
        for name, drop in drops:
            death = deaths[name]
            death.rows += 1
            if len(death.samples) < samples:
                death.samples.append(Sample(place, instruction, drop.reason))
    return Audit(count, dying, tuple(deaths.values()), tuple(rule.name for rule in not_asked))


def verdicts(rules: Sequence[LoadedRule], candidate: Candidate) -> Iterator[tuple[str, Drop]]:
    """Yield the verdict of every rule that drops a candidate; those on a response are asked where there is one."""
    for rule in rules:
        if rule.reads == "response" and candidate.response is None:
            continue
        drop = rule.verdict(candidate)
        if drop is not None:
            yield rule.name, drop


def compares(rule: LoadedRule) -> bool:
    """Tell whether a rule has nothing to say of a row without a parent."""
    return rule.owner == EVOLVER and BUILT_IN[rule.name].compares


def every(rules: RuleSet) -> tuple[LoadedRule, ...]:
    """Return each rule once, those on the instruction first."""
    return tuple(dict.fromkeys((*rules.instruction_rules, *rules.response_rules)))


def _split(rules: RuleSet) -> tuple[list[LoadedRule], list[LoadedRule]]:
    loaded = every(rules)
    return [rule for rule in loaded if not compares(rule)], [rule for rule in loaded if compares(rule)]
