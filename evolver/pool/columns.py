"""Which column of a row is the instruction and which the response: the usual names in any case, or as the user says."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FIELDS = ("instruction", "input", "response", "context", "system", "turns", "instances", "id")
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "instruction": (
            *("instruction", "instructions", "prompt", "question", "query", "problem", "problem_statement"),
            "user_prompt",
        ),
        "input": ("input", "inputs"),
        "response": (
            *("output", "response", "completion", "answer", "solution", "outputs", "responses", "answers"),
            *("target", "targets", "reply"),
        ),
        "context": ("context", "contexts", "passage", "reference"),
        "system": ("system", "system_prompt", "system_message"),
        "turns": ("conversations", "conversation", "messages", "dialogue", "dialog", "turns"),
        "instances": ("instances",),
        "id": ("id", "idx"),
    }
)
"""The names of each field, first choice first; case, hyphens and spaces do not count."""

_TEXT = ("text", "content")  # an instruction where a row has nothing better
_VOICES = (
    ("human", "user"),
    ("assistant", "gpt", "bot", "chatgpt"),
)  # columns that are a name each, unless both are there
SETTABLE = ("instruction", "input", "response", "context", "system", "turns")
_MOST_SHAPES = 1_000
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of rows with the same columns stand; ``rest`` are the columns that are no field."""

    columns: Mapping[str, str]
    rest: tuple[str, ...]


@dataclass(slots=True)
class Columns:
    """Finds the fields of rows.

    ``given`` maps a field to the column that the user named for it; ``met`` are those of them that some row had.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)
    _layouts: dict[tuple[str, ...], Layout] = field(default_factory=dict)

    def layout(self, names: Iterable[str]) -> Layout:
        """Return the layout of a row with these columns; it is worked out once."""
        key = tuple(names)
        found = self._layouts.get(key)
        if found is None:
            if len(self._layouts) >= _MOST_SHAPES:
                self._layouts.clear()
            found = self._layouts[key] = self._work_out(key)
        return found

    def is_known(self, name: str) -> bool:
        """Whether a column of that name alone makes a seed, or the user has named it."""
        plain = plain_name(name)
        return (
            name in self.given.values()
            or any(plain in NAMES[field] for field in ("instruction", "input", "turns"))
            or plain in _TEXT
        )

    def _work_out(self, names: tuple[str, ...]) -> Layout:
        plain: dict[str, str] = {}
        for name in names:
            plain.setdefault(plain_name(name), name)
        columns = {field: name for field, name in self.given.items() if name in names}
        taken = set(self.given.values())
        self.met.update(taken.intersection(names))
        for field_ in FIELDS:
            if field_ in self.given:
                continue
            there = (plain[alias] for alias in NAMES[field_] if alias in plain)
            found = next((name for name in there if name not in taken), None)
            if found is not None:
                columns[field_] = found
                taken.add(found)
        self._find_instruction(columns, plain)
        used = set(columns.values())
        return Layout(columns, tuple(name for name in names if name not in used))

    def _find_instruction(self, columns: dict[str, str], plain: Mapping[str, str]) -> None:
        """Take the input or the text for the instruction where nothing else is one."""
        if columns.keys() & {"instruction", "turns"}:
            return
        if "input" in columns and "input" not in self.given:
            columns["instruction"] = columns.pop("input")
            return
        asked, replied = (next((plain[one] for one in some if one in plain), None) for some in _VOICES)
        if asked is not None and replied is not None:
            columns["instruction"] = asked
            columns.setdefault("response", replied)
            return
        for alias in _TEXT:
            if alias in plain and plain[alias] not in columns.values():
                columns["instruction"] = plain[alias]
                return


def plain_name(name: str) -> str:
    """Return a column's name as it is compared: lower case, with ``_`` for space and hyphen."""
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def advice_for(names: Iterable[str]) -> str:
    """Return what a user does about columns that nobody knows: the list of them, and the ``--column`` that would do."""
    found = [name for name in names if name][:20]
    if not found:
        return ""
    listed = ", ".join(_shown(name) for name in found)
    likely = [
        name
        for name in found
        if name.isprintable() and len(name) <= _LONGEST and plain_name(name) not in NAMES["id"]
    ]
    if not likely:
        return f"Its columns are {listed}; name one of them with --column instruction=NAME."
    then = f" --column response={shlex.quote(likely[1])}" if len(likely) > 1 else ""
    return (
        f"Its columns are {listed}; say which of them holds the instructions "
        f"(--column instruction={shlex.quote(likely[0])}{then})."
    )


def _shown(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:40]}…")
