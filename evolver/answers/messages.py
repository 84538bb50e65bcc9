"""What a message says: its answer, and the reasoning that its provider keeps apart, in whatever field or block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FIELDS: Final = (
    "reasoning_content",
    "reasoning",
    "thinking",
    "thinking_content",
    "reasoning_text",
    "thinking_blocks",
    "reasoning_details",
)
"""Fields of a message, in this order: most servers that fill two say the same in both."""

_THOUGHTS: Final = frozenset(
    {
        "thinking",
        "redacted_thinking",
        "reasoning",
        "reasoning_content",
        "reasoning_text",
        "reasoning.text",
        "reasoning.summary",
        "reasoning.encrypted",
        "reasoningContent",
        "summary_text",
        "thought",
        "thoughts",
    }
)
_SAID: Final = (
    "thinking",
    "reasoning",
    "reasoning_content",
    "reasoningContent",
    "reasoningText",
    "text",
    "summary",
    "content",
    "thought",
)
_DEPTH: Final = 8
"""Levels at which words are looked for inside blocks; bounds the work on hostile answers."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message in two: its text as the provider gives it, and the reasoning beside it, empty where there is none."""

    text: str
    reasoning: str = ""


def of_message(message: Mapping[str, Any]) -> Said:
    """Read a message of an OpenAI-compatible server: ``content`` as a string, nothing or parts, and its fields."""
    said = of_content(message.get("content"))
    return Said(said.text, beside(message) or said.reasoning)


def of_content(content: object) -> Said:
    """Read a content: a string, or blocks of text and of thinking; blocks of any other kind are no answer."""
    if isinstance(content, str):
        return Said(content)
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, Sequence) or isinstance(content, bytes):
        return Said("")
    texts: list[str] = []
    thoughts: list[str] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, Mapping) and _is_thought(block):
            thoughts.append("".join(_words(block)))
        elif isinstance(block, Mapping) and isinstance(block.get("text"), str):
            texts.append(block["text"])
    return Said("".join(texts), "\n\n".join(thought for thought in thoughts if thought))


def beside(fields: Mapping[str, Any], depth: int = _DEPTH) -> str:
    """Return the reasoning in the fields of a message, empty where there is none."""
    for field in _FIELDS:
        value = fields.get(field)
        if value and (thought := "".join(_words(value))).strip():
            return thought
    own = fields.get("provider_specific_fields")
    return beside(own, depth - 1) if depth and isinstance(own, Mapping) else ""


def _is_thought(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    if kind is None:  # Gemini marks a part, Bedrock names it
        return block.get("thought") is True or "reasoningContent" in block or "thinking" in block
    return (isinstance(kind, str) and kind in _THOUGHTS) or (kind == "text" and block.get("thought") is True)


def _words(value: object, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the words of a thought, given as text, as a block, or as a list of either."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, Mapping):
        held = (value[field] for field in _SAID if isinstance(value.get(field), str | Mapping | list))
        found = next(("".join(_words(each, depth - 1)) for each in held if each), "")
        yield found
    elif depth and isinstance(value, list | tuple):
        yield "\n\n".join(words for each in value if (words := "".join(_words(each, depth - 1))))
