"""Conversations in every common form: who spoke, what was said, and what of it is not used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from evolver.pool.record import BadRowError

SPEAKERS = ("role", "from", "speaker", "author", "user")
TEXTS = ("content", "value", "text", "message", "utterance")
_HUMAN = frozenset({"human", "user", "prompter", "customer", "instruction", "question"})
_ASSISTANT = frozenset(
    {"gpt", "assistant", "chatgpt", "model", "bot", "bing", "bard", "ai", "agent", "answer", "claude"}
)
_SYSTEM = frozenset({"system", "developer"})

LATER_TURNS = "later user turns"
TOOL_TURNS = "tool turns"
OTHER_PARTS = "parts that are no text"
NO_INSTRUCTION = "no instruction"
PYTHON_REPR = "a Python repr, not JSON"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A user turn, the reply if it is the very next turn, and the turns before it as (speaker, text)."""

    instruction: str
    response: str
    before: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Dialogue:
    """A conversation taken apart; ``unused`` counts what no exchange holds."""

    system: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)

    def transcript(self, exchange: Exchange) -> str:
        """Return what came before an exchange, a turn after the other; empty for the first."""
        return "\n".join(f"{who}: {text}" for who, text in exchange.before)


def looks_like_turns(value: object) -> bool:
    """Whether a value is a list of turns."""
    return (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) and _keys(one) for one in value)
    )


def take_apart(turns: object) -> Dialogue:
    """Take a conversation apart; it may be JSON inside a string.

    Raises:
        BadRowError: It is no list of turns, no user speaks in it, or a turn is no text.
    """
    turns = unfold(turns)
    if not isinstance(turns, list):
        raise BadRowError(NO_INSTRUCTION)
    found = Dialogue()
    spoken: list[tuple[str, str]] = []
    for turn in turns:
        if isinstance(turn, dict):
            who = _speaker(turn)
            text = said(_first(turn, TEXTS), found.unused)
            spoken.append((who, text))
        elif isinstance(turn, str):  # turns by turns, as some sets hold them
            spoken.append(("Assistant" if len(spoken) % 2 else "User", turn))
    _gather(spoken, found)
    if not found.exchanges:
        raise BadRowError(NO_INSTRUCTION)
    return found


def unfold(value: object) -> object:
    """Decode JSON that is kept inside a string; any other value is itself.

    Raises:
        BadRowError: It is what Python prints of a list, which is not JSON.
    """
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value, strict=False)
    except (ValueError, RecursionError) as error:
        if value.lstrip().startswith(("[{'", "{'", "['")):
            raise BadRowError(PYTHON_REPR) from error
        return value


def said(value: object, unused: Counter[str]) -> str:
    """Return the text of a turn: a string, or its text parts one after the other; other parts are counted.

    Raises:
        BadRowError: It is neither.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise BadRowError("a turn is not text")
    texts = []
    for part in value:
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            texts.append(text)
        elif text is None and isinstance(part, dict) and part.get("type", "text") != "text":
            unused[OTHER_PARTS] += 1
        else:
            raise BadRowError("a turn is not text")
    return "\n".join(texts)


def _gather(spoken: Sequence[tuple[str, str]], found: Dialogue) -> None:
    before: list[tuple[str, str]] = []
    for place, (who, text) in enumerate(spoken):
        if who == "System":
            found.system = f"{found.system}\n{text}".strip("\n") if text.strip() else found.system
            continue
        if who == "":
            found.unused[TOOL_TURNS] += 1
            continue
        if who == "User":
            after, reply = spoken[place + 1] if place + 1 < len(spoken) else ("", "")
            found.exchanges.append(Exchange(text, reply if after == "Assistant" else "", tuple(before)))
        before.append((who, text))


def _speaker(turn: Mapping[str, Any]) -> str:
    """Return "User", "Assistant", "System", or nothing for tools and unknown voices."""
    who = _first(turn, SPEAKERS)
    if not isinstance(who, str):
        return ""
    who = who.strip().lower()
    if who in _HUMAN:
        return "User"
    if who in _ASSISTANT:
        return "Assistant"
    return "System" if who in _SYSTEM else ""


def _first(turn: Mapping[str, Any], names: Sequence[str]) -> object:
    return next((turn[name] for name in names if name in turn), None)


def _keys(turn: Mapping[str, Any]) -> bool:
    return any(name in turn for name in SPEAKERS) and any(name in turn for name in TEXTS)


class Flat(NamedTuple):
    """An exchange out of a text that a dataset was flattened to; ``more`` says that turns follow it."""

    instruction: str
    input: str
    response: str
    more: bool


def parse_template(text: str) -> Flat | None:
    """Find the exchange in a text that a dataset was flattened to; ``None`` where it is not.

    Alpaca's and WizardCoder's template (``### Instruction:``), ``### Human:``, ChatML and Llama's ``[INST]``.
    """
    for opening, closing, stop in _TEMPLATES:
        start = text.find(opening)
        end = text.find(closing, start + len(opening)) if start >= 0 else -1
        if end < 0 or not _is_preamble(text[:start].strip()):
            continue
        asked, mark, input_ = text[start + len(opening) : end].strip("\n").partition("\n\n### Input:\n")
        response, _, after = text[end + len(closing) :].partition(stop)
        response = response.removesuffix("</s>").strip("\n").removeprefix(" ")
        return Flat(
            asked.strip(" \n"),
            input_.strip("\n") if mark else "",
            response,
            stop == "### Human" and bool(after),
        )
    return None


_TEMPLATES = (
    ("### Instruction:", "### Response:", "<|endoftext|>"),
    ("### Human:", "### Assistant:", "### Human"),
    ("<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>"),
    ("[INST]", "[/INST]", "</s>"),
)


def _is_preamble(before: str) -> bool:
    """Whether nothing but a template's own words stand before its first mark."""
    return (
        before in ("", "<s>")
        or before.startswith("<|im_start|>system")
        or (before.startswith("Below is an instruction") and "###" not in before)
    )
