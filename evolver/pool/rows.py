"""The shapes a row may have, and the dirt known from public pools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LIST_FIELDS = frozenset({"instances", "conversations", "messages"})
KNOWN_FIELDS = LIST_FIELDS | {"instruction", "problem"}
READ_FIELDS = KNOWN_FIELDS | {"input", "output", "response", "solution", "id", "idx"}

NOT_JSON = "not JSON"
NOT_AN_OBJECT = "not an object"
NO_KNOWN_FIELDS = "no known fields"
NO_INSTRUCTION = "no instruction"
NOT_TEXT = "not text"
NUL = "NUL byte"
SURROGATE = "lone surrogate"
MERGED = "merged rows"
DUPLICATE = "duplicate"
OTHER_RESPONSE = "same instruction, other response"
EMPTY_OUTPUT = "empty output"

_HUMAN = frozenset({"human", "user"})
_ASSISTANT = frozenset({"gpt", "assistant", "chatgpt", "model", "bot"})

# Both seen in Alpaca: `<noinput>`, "No input.", "No input required.", `\<noinput\>`, and the word in quotes.
_NO_INPUT = re.compile(
    r"[\W_]*no[ _-]?input(?:\s+(?:is\s+)?(?:required|needed|necessary|provided))?[\W_]*|<?(?:n/a|none)>?\.?",
    re.IGNORECASE,
)
_NEXT_ROW = re.compile(r"^[ \t]*([0-9]{1,4})\.[ \t]*Instruction[ \t]*:", re.MULTILINE)


class BadRowError(Exception):
    """A row that can be no seed; the message is the reason. Never leaves this package."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Instruction and response as a row names them; nothing but their types is checked."""

    instruction: str
    response: str


def parts(row: object) -> list[object]:
    """Take a row apart: a self-instruct task into one row for each instance, any other is itself."""
    if not isinstance(row, dict):
        return [row]
    instances = row.get("instances")
    if not isinstance(instances, list) or not instances:
        return [row]
    task = {key: row[key] for key in ("id", "idx", "instruction") if key in row}
    return [{**one, **task} if isinstance(one, dict) else one for one in instances]


def draft(row: object) -> Draft:
    """Read one part of a row.

    Raises:
        BadRowError: It is no object, has no known fields, or one of them is no text.
    """
    if not isinstance(row, dict):
        raise BadRowError(NOT_AN_OBJECT)
    if "instruction" in row:
        response = _text(row, "output") or _text(row, "response")
        return Draft(join_input(_text(row, "instruction"), _text(row, "input")), response)
    if "conversations" in row:
        return _dialogue(row["conversations"], "from", "value")
    if "messages" in row:
        return _dialogue(row["messages"], "role", "content")
    if "problem" in row:
        return Draft(_text(row, "problem"), _text(row, "solution"))
    raise BadRowError(NO_KNOWN_FIELDS)


def shape(row: object) -> str:
    """Name the shape of a row for the report; empty where it has none."""
    names = {
        "instances": "self-instruct",
        "instruction": "instruction",
        "conversations": "ShareGPT",
        "messages": "messages",
        "problem": "problem and solution",
    }
    return next((name for key, name in names.items() if isinstance(row, dict) and key in row), "")


def join_input(instruction: str, input_: str) -> str:
    """Make one text of an instruction and its input, nothing stripped.

    The instruction alone where the input is blank or means "none"; else both with one line feed between,
    the join that reproduces the published code data of WizardCoder (arXiv:2306.08568).
    """
    stripped = input_.strip()
    if not stripped or _NO_INPUT.fullmatch(stripped):
        return instruction
    return f"{instruction}\n{input_}"


def holds_merged_rows(text: str) -> bool:
    r"""Whether further rows of a numbered pool run on inside ``text``: ``##\n18. Instruction: …``.

    Models that wrote pools by the batch left these behind: 22 of 2,000 Alpaca rows hold some in the output.
    A line ``18. Instruction:`` counts only behind a line of ``#`` or before a line ``18. Input:`` or
    ``18. Output:``, and never where the numbering begins at 1: that is an author's own list.
    """
    if "Instruction" not in text:
        return False
    found = _NEXT_ROW.search(text)
    if found is None or int(found[1]) < 2:
        return False
    above = text[: found.start()].rstrip().rpartition("\n")[2].strip()
    if len(above) > 1 and not above.strip("#"):
        return True
    return re.search(rf"^[ \t]*{found[1]}\.[ \t]*(?:Input|Output)[ \t]*:", text, re.MULTILINE) is not None


def origin(row: object) -> dict[str, object] | None:
    """Return the row's own ``id`` or ``idx`` where a database can hold it, else ``None``."""
    if not isinstance(row, dict):
        return None
    for key in ("id", "idx"):
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
            return {key: value}
        if isinstance(value, str) and value and "\0" not in value and not _has_surrogate(value):
            return {key: value}
    return None


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def _text(row: Mapping[str, object], field: str) -> str:
    """Return a field's text; missing and null are empty."""
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRowError(f"{field} is {NOT_TEXT}")
    return value


def _dialogue(turns: object, speaker: str, text: str) -> Draft:
    """Take the first human turn, and the reply if it is the very next turn."""
    if not isinstance(turns, list):
        raise BadRowError(NO_INSTRUCTION)
    spoken = [turn for turn in turns if isinstance(turn, dict)]
    for place, turn in enumerate(spoken):
        if _speaks(turn, speaker, _HUMAN):
            reply = spoken[place + 1] if place + 1 < len(spoken) else {}
            answered = _speaks(reply, speaker, _ASSISTANT)
            return Draft(_text(turn, text), _text(reply, text) if answered else "")
    raise BadRowError(NO_INSTRUCTION)


def _speaks(turn: Mapping[str, object], speaker: str, voices: frozenset[str]) -> bool:
    who = turn.get(speaker)
    return isinstance(who, str) and who.lower() in voices
