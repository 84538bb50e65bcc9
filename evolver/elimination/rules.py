"""Which rules a run is held to: built-in ones by name, and users' own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from evolver.digest import digest_of
from evolver.elimination.built_in import BUILT_IN
from evolver.elimination.language_changed import check_installed
from evolver.elimination.longer_than_parent import make_longer_than_parent
from evolver.elimination.no_information_gain import is_blank, no_information_gain
from evolver.elimination.refusal import make_refusal
from evolver.elimination.verdict import Candidate, Drop, Reads, Rule
from evolver.errors import PluginError, UnknownNameError
from evolver.loading import did_you_mean, load_object

DEFAULT: Final = "default"
ALL: Final = "all"
EVOLVER: Final = "evolver"


@dataclass(frozen=True, slots=True)
class LoadedRule:
    """A rule with its name, its time, where it comes from, and the digest of what it does."""

    name: str
    reads: Reads
    check: Rule
    owner: str
    digest: str

    def verdict(self, candidate: Candidate) -> Drop | None:
        """Ask the rule.

        Raises:
            PluginError: It raised, or returned something that is no verdict.
        """
        try:
            verdict: object = self.check(candidate)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(
                f"the rule {self.name} ({self.owner}) raised {type(error).__name__}: {error}; the attempt was not "
                "stored. Mend the rule and run again: every answer already paid for is kept."
            ) from error
        if verdict is None:
            return None
        if isinstance(verdict, Drop) and isinstance(verdict.rule, str) and isinstance(verdict.reason, str):
            return verdict
        raise PluginError(
            f"the rule {self.name} ({self.owner}) returned {verdict!r:.100}, which is neither a Drop nor None; "
            "the attempt was not stored. Mend the rule and run again: every answer already paid for is kept."
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a run, in the order in which they are asked; ``judge`` says whether the judge is one."""

    instruction_rules: tuple[LoadedRule, ...]
    response_rules: tuple[LoadedRule, ...]
    judge: bool

    def check_instruction(self, candidate: Candidate) -> Drop | None:
        """Return the first verdict on the rewrite, before anything is asked about it.

        An empty rewrite dies whatever the rules.

        Raises:
            PluginError: A user's rule raised, or returned something that is no verdict.
        """
        drop = _first_drop(self.instruction_rules, candidate)
        if drop is None and is_blank(candidate.instruction):
            return no_information_gain(candidate)
        return drop

    def check_response(self, candidate: Candidate) -> Drop | None:
        """Return the first verdict on the response.

        Raises:
            PluginError: A user's rule raised, or returned something that is no verdict.
        """
        return _first_drop(self.response_rules, candidate)

    def digest(self) -> str:
        """Return 16 hex digits that change with the rules, their order, phrases and users' code."""
        told = [
            (rule.name, rule.reads, rule.digest) for rule in (*self.instruction_rules, *self.response_rules)
        ]
        return digest_of([*told, self.judge])


def load_rules(
    specs: Sequence[str | Callable[..., Any]] = (),
    *,
    skip: Sequence[str] = (),
    refusal_phrases: Sequence[str] = (),
) -> RuleSet:
    """Gather the rules of a run.

    Args:
        specs: ``"default"`` (the built-in rules that are on by default), ``"all"`` built-in rules, the name of one of
            them (``longer_than_parent=8`` says how many times), a callable, or ``file.py:Name`` / ``module:Name``
            of one; a class is called without arguments. The default rules come first, and what is given is added,
            unless one of them is named: then there are only those that are.
        skip: Names to leave out. Without ``no_information_gain`` the judge is not asked.
        refusal_phrases: More words for "sorry".

    Raises:
        PluginError: A rule cannot be loaded, two have one name, a name is not known, or a phrase is of no use.
    """
    for what, values in (("rules", specs), ("skip", skip), ("refusal phrases", refusal_phrases)):
        if isinstance(values, str):
            raise PluginError(
                f"{what} must be a list, not the text {values!r}; nothing was run. Write [{values!r}]."
            )
    if any(not phrase.strip() for phrase in refusal_phrases):
        raise PluginError("a refusal phrase is blank; nothing was run. Leave it away.")
    named = any(isinstance(spec, str) and _replaces_the_default(spec) for spec in specs)
    wanted = specs if named else (DEFAULT, *specs)
    loaded = [rule for spec in wanted if spec not in skip for rule in _load(spec, refusal_phrases, skip)]
    known = {*BUILT_IN, *(rule.name for rule in loaded)}
    for name in skip:
        if name not in known:
            raise UnknownNameError(
                f"there is no rule {name!r} to leave out; nothing was run.{did_you_mean(name, known)} "
                f"The rules are {', '.join(sorted(known))}."
            )
    kept = [rule for rule in loaded if rule.name not in skip]
    _refuse_shared_names(kept)
    _refuse_unread_phrases(kept, refusal_phrases)
    return RuleSet(
        tuple(rule for rule in kept if rule.reads != "response"),
        tuple(rule for rule in kept if rule.reads != "instruction"),
        any(rule.check is no_information_gain for rule in kept),
    )


def _replaces_the_default(spec: str) -> bool:
    return spec in (DEFAULT, ALL) or (spec in BUILT_IN and BUILT_IN[spec].default)


def _load(
    spec: str | Callable[..., Any], refusal_phrases: Sequence[str], skip: Sequence[str]
) -> Iterator[LoadedRule]:
    """Yield the rules one spec stands for."""
    name, _, value = spec.partition("=") if isinstance(spec, str) else ("", "", "")
    if spec in (DEFAULT, ALL):
        for name, rule in BUILT_IN.items():
            if (rule.default or spec == ALL) and name not in skip:
                yield _built_in(name, refusal_phrases)
    elif name in BUILT_IN:
        yield _built_in(name, refusal_phrases, value)
    elif isinstance(spec, str) and ":" not in spec:
        raise UnknownNameError(
            f"there is no rule {spec!r}; nothing was run.{did_you_mean(spec, [DEFAULT, ALL, *BUILT_IN])} "
            f"Name {DEFAULT}, {ALL}, {', '.join(BUILT_IN)}, or one of yours as file.py:Name or module:Name."
        )
    elif isinstance(spec, str):
        yield _users(load_object(spec), spec)
    else:
        owner = f"{getattr(spec, '__module__', '?')}.{getattr(spec, '__qualname__', type(spec).__qualname__)}"
        yield _users(spec, owner)


def _built_in(name: str, refusal_phrases: Sequence[str], value: str = "") -> LoadedRule:
    """Return a rule of evolver's own, with its phrases or its measure."""
    found = BUILT_IN[name]
    check: Rule = found.check
    parameters: tuple[object, ...] = ()
    if name == "refusal" and refusal_phrases:
        check, parameters = make_refusal(refusal_phrases), tuple(refusal_phrases)
    if value:
        times = _times(name, value)
        check, parameters = make_longer_than_parent(times), (times,)
    if name == "language_changed":
        check_installed()
    return LoadedRule(name, found.reads, check, EVOLVER, digest_of((name, found.version, parameters)))


def _times(name: str, value: str) -> float:
    try:
        times = float(value) if name == "longer_than_parent" else 0.0
    except ValueError:
        times = 0.0
    if not 1 < times < float("inf"):
        raise PluginError(
            f"{name}={value} says nothing; nothing was run. A number above 1 goes with longer_than_parent alone: "
            "longer_than_parent=8."
        )
    return times


def _users(found: object, owner: str) -> LoadedRule:
    """Return a user's rule, after every question that can be asked before it runs."""
    if isinstance(found, type) and found is not type:
        try:
            found = found()
        except Exception as error:
            raise PluginError(
                f"the rule class {owner} cannot be made without arguments ({error}); nothing was run. "
                "Hand over an instance, or give the arguments defaults."
            ) from error
    if not callable(found):
        raise PluginError(
            f"{owner} is no rule: a {type(found).__name__} cannot be called; nothing was run. "
            "Write a function that takes a Candidate and returns a Drop or None."
        )
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__):
        raise PluginError(f"the rule {owner} is async; nothing was run. Write it as a plain function.")
    name = getattr(found, "name", None) or getattr(found, "__name__", None) or type(found).__name__
    if not isinstance(name, str) or not name.isidentifier():
        raise PluginError(
            f"the rule {owner} has no name to be stored by ({name!r}); nothing was run. "
            'Give it one: rule(name="too_long")(yours).'
        )
    reads = getattr(found, "reads", "response")
    if reads not in get_args(Reads):
        raise PluginError(
            f"the rule {name} ({owner}) reads {reads!r}; nothing was run. "
            f"A rule reads one of {', '.join(get_args(Reads))}."
        )
    return LoadedRule(name, cast("Reads", reads), found, owner, digest_of(found))


def _refuse_shared_names(rules: Iterable[LoadedRule]) -> None:
    """Raise where two rules have one name: a stored verdict must say whose it is."""
    owners: dict[str, str] = {}
    for rule in rules:
        if rule.name in owners:
            raise PluginError(
                f"two rules are named {rule.name!r}, one of {owners[rule.name]} and one of {rule.owner}; "
                "nothing was run. Name one of them otherwise, or leave one out."
            )
        owners[rule.name] = rule.owner


def _refuse_unread_phrases(rules: Iterable[LoadedRule], phrases: Sequence[str]) -> None:
    """Raise for phrases that no rule reads."""
    if phrases and not any(rule.name == "refusal" and rule.owner == EVOLVER for rule in rules):
        raise PluginError(
            "refusal phrases are given and the rule 'refusal' is left out; nothing was run. "
            "Leave away the phrases, or keep the rule."
        )


def _first_drop(rules: Iterable[LoadedRule], candidate: Candidate) -> Drop | None:
    """Ask one rule after the other until one drops the candidate."""
    return next((drop for rule in rules if (drop := rule.verdict(candidate)) is not None), None)
