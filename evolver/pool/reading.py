"""How the rows of a pool become seeds: which columns, what is joined, which are filtered out, and how many."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evolver.errors import UsageError
from evolver.pool.columns import SETTABLE
from evolver.settings import Settings
from evolver.settings.choices import Turns
from evolver.text import count_words

JOINABLE = ("system", "context")
_SIGNS: Mapping[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FILTER = re.compile(r"(instruction|response)(<=|>=|<|>)([0-9]{1,9})(w)?")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a pool become seeds.

    Attributes:
        columns: The column of a field, where it has none of the usual names.
        filters: Bounds on the lengths of a seed's texts.
        join: What else of a row goes into the instruction: ``system`` before it, ``context`` after it.
        turns: Whether the first user turn of a conversation is a seed or each, with what came before as its input.
        strict: Make the first bad row an error. An instruction that came before is not bad, nor is an empty response.
        limit: Stop after this many seeds; what comes after them is not looked at.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    filters: tuple[Filter, ...] = ()
    join: frozenset[str] = frozenset()
    turns: Turns = "first"
    strict: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A bound on the length of a text, as it was written: ``instruction<2000``."""

    text: str
    field: str
    sign: str
    number: int
    words: bool

    def keeps(self, instruction: str, response: str | None) -> bool:
        """Whether a seed stays; a seed without a response is not asked about its length."""
        text = instruction if self.field == "instruction" else response
        if text is None:
            return True
        return _SIGNS[self.sign](count_words(text) if self.words else len(text), self.number)


def parse_filter(said: str) -> Filter:
    """Read a filter: ``instruction`` or ``response``, ``<``, ``<=``, ``>`` or ``>=``, and a number.

    The number counts characters, with ``w`` behind it words: ``instruction<2000``, ``response>=20w``.

    Raises:
        UsageError: It is none.
    """
    found = _FILTER.fullmatch("".join(said.split()))
    if found is None:
        raise UsageError(
            f"--filter cannot be {said!r}; nothing was started. Write a field, a sign and a length in characters or, "
            "with w, in words: --filter 'instruction<2000' or --filter 'response>=20w'."
        )
    return Filter(found[0], found[1], found[2], int(found[3]), bool(found[4]))


def parse_columns(said: Sequence[str]) -> dict[str, str]:
    """Read ``FIELD=COLUMN`` pairs: ``instruction=Domanda``.

    Raises:
        UsageError: One is no pair, names no field that a seed is made of, or a field twice.
    """
    given: dict[str, str] = {}
    for pair in said:
        name, sign, column = pair.partition("=")
        name = name.strip().lower()
        name = {"conversations": "turns", "messages": "turns", "output": "response"}.get(name, name)
        if not sign or not column or name not in SETTABLE:
            raise UsageError(
                f"--column cannot be {pair!r}; nothing was started. Write FIELD=COLUMN, the field being one of "
                f"{', '.join(SETTABLE)}: --column instruction=Domanda."
            )
        if given.setdefault(name, column) != column:
            raise UsageError(
                f"--column names two columns for {name} ({given[name]!r}, {column!r}); nothing was started. Keep one."
            )
    return given


def parse_join(said: Sequence[str]) -> frozenset[str]:
    """Read what is joined: ``system``, ``context``.

    Raises:
        UsageError: It names something else.
    """
    wrong = next((one for one in said if one not in JOINABLE), None)
    if wrong is not None:
        raise UsageError(
            f"--join cannot be {wrong!r}; nothing was started. What can be joined is {' and '.join(JOINABLE)}."
        )
    return frozenset(said)


def reading_of(settings: Settings) -> Reading:
    """Return how a run reads its pool.

    Raises:
        UsageError: A column, a filter or what is to be joined cannot be read.
    """
    return Reading(
        columns=parse_columns(settings.column),
        filters=tuple(map(parse_filter, settings.filter)),
        join=parse_join(settings.join),
        turns=settings.turns,
        strict=settings.strict,
        limit=settings.limit,
    )
