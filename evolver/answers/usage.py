"""Reading how many tokens a provider counted, in whatever form it says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PROMPT: Final = ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "prompt_eval_count")
_COMPLETION: Final = (
    "completion_tokens",
    "output_tokens",
    "candidatesTokenCount",
    "outputTokens",
    "eval_count",
)
_BESIDE_INPUT: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")
_REASONING: Final = (
    "reasoning_tokens",
    "thinking_tokens",
    "reasoning",
    "thoughtsTokenCount",
    "reasoningTokens",
)
_DETAILS: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_MOST: Final = 100_000_000
"""Tokens of one call; more is no count but a mistake."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; ``known`` is false where the provider did not count them, or absurdly."""

    prompt: int = 0
    completion: int = 0
    reasoning: int = 0
    known: bool = True


UNKNOWN: Final = Usage(known=False)


def read_usage(usage: object) -> Usage:
    """Read a ``usage`` object of any provider.

    50, 50.0 and "50" are 50; null, a negative number, text that is no number and more than 100,000,000 are no
    count. It is known if the completion's count is there, and either more than nothing or beside a prompt that was
    counted. Anthropic's cached input counts as input, as the prompt's other tokens do. Reasoning tokens are among
    those of the completion, whichever of the two counts the provider gives.
    """
    if type(usage) is not dict and not isinstance(usage, Mapping):
        return UNKNOWN
    prompt, completion = _first(usage, _PROMPT), _first(usage, _COMPLETION)
    reasoning = _reasoning(usage)
    if prompt is None and completion is None:
        return UNKNOWN
    prompt = prompt or 0
    for field in _BESIDE_INPUT:
        if field in usage:
            prompt += count(usage[field]) or 0
    known = completion is not None and (completion > 0 or prompt > 0)
    return Usage(prompt, max(completion or 0, reasoning), reasoning, known)


def count(value: object) -> int | None:
    """Return a token count given as a number or as text; ``None`` for anything that is none."""
    if type(value) is int:
        return value if 0 <= value <= _MOST else None
    if isinstance(value, str):
        try:
            value = float(value.replace(",", "").strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return round(value) if 0 <= value <= _MOST else None  # nor is NaN between the two


def _first(usage: Mapping[str, object], fields: tuple[str, ...]) -> int | None:
    for field in fields:
        if field in usage and (number := count(usage[field])) is not None:
            return number
    return None


def _reasoning(usage: Mapping[str, object]) -> int:
    for field in _DETAILS:
        details = usage.get(field)
        if isinstance(details, Mapping) and (number := _first(details, _REASONING)) is not None:
            return number
    return _first(usage, _REASONING) or 0
