"""Why an answer ended, under every name that providers give it: one table for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_TABLE: Final[dict[str, tuple[str, ...]]] = {
    "stop": (
        "",
        "none",
        "null",
        "unspecified",
        "stop",
        "stopped",
        "stop_sequence",
        "stop_sequences",
        "stop_string",
        "stop_token",
        "stop_word",
        "stop_words",
        "stopped_eos",
        "stopped_word",
        "eos",
        "eos_token",
        "eog",
        "im_end",
        "end",
        "end_turn",
        "end_of_turn",
        "end_of_text",
        "endoftext",
        "natural_stop",
        "complete",
        "completed",
        "done",
        "finish",
        "finished",
        "success",
    ),
    "length": (
        "length",
        "length_limit",
        "length_limited",
        "length_capped",
        "max_length",
        "model_length",
        "max_tokens",
        "max_token",
        "max_tokens_reached",
        "max_tokens_exceeded",
        "max_new_tokens",
        "max_output_tokens",
        "max_completion_tokens",
        "max_context_length",
        "token_limit",
        "token_limit_reached",
        "output_limit",
        "limit",
        "error_limit",
        "stopped_limit",
        "context_length",
        "context_length_exceeded",
        "context_window_exceeded",
        "model_context_window_exceeded",
        "truncated",
        "incomplete",
    ),
    "content_filter": (
        "content_filter",
        "content_filtered",
        "content_policy",
        "content_policy_violation",
        "content_risk",
        "filter",
        "filtered",
        "safety",
        "image_safety",
        "unsafe",
        "recitation",
        "prohibited_content",
        "blocklist",
        "blocked",
        "spii",
        "language",
        "model_armor",
        "sensitive",
        "risk",
        "guardrail",
        "guardrails",
        "guardrail_intervened",
        "moderation",
        "moderated",
        "moderation_blocked",
        "policy",
        "policy_violation",
        "responsible_ai_policy_violation",
        "error_toxic",
    ),
    "refusal": ("refusal", "refused"),
    "tool_calls": ("tool_calls", "tool_call", "tool_use", "tool", "tools", "function_call", "function_calls"),
    "broken_off": (
        "abort",
        "aborted",
        "cancel",
        "cancelled",
        "canceled",
        "user_cancelled",
        "disconnect",
        "disconnected",
        "engine_error",
        "error",
        "exception",
        "fail",
        "failed",
        "failure",
        "insufficient_system_resource",
        "insufficient_system_resources",
        "internal_error",
        "internal_server_error",
        "interrupted",
        "load",
        "unload",
        "malformed_function_call",
        "malformed_response",
        "network_error",
        "not_finished",
        "other",
        "overloaded",
        "preempted",
        "server_error",
        "service_unavailable",
        "shutdown",
        "time_limit",
        "timed_out",
        "timeout",
        "unexpected_tool_call",
    ),
}
_MEANING: Final = {name: meaning for meaning, names in _TABLE.items() for name in names}
_FIELDS: Final = ("type", "reason", "finish_reason", "stop_reason", "name", "value", "code")
_PREFIXES: Final = ("finish_reason_", "finishreason_", "finish_reason.", "finishreason.", "stop_reason_")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SUFFIX: Final = re.compile(r"[:(\[{;,].*", re.DOTALL)
_SPACE: Final = re.compile(r"[\s\-]+")


def read_finish(reason: object) -> str:
    """Return ``stop``, ``length``, ``content_filter``, ``refusal``, ``tool_calls`` or ``broken_off``.

    The name may come in any case (``MAX_TOKENS``, ``maxTokens``), with a suffix (``content_filter: violence``), as a
    member of an enumeration (``FinishReason.SAFETY``), or as an object that says it in a field, such as
    ``{"type": "stop"}``; nothing at all is ``stop``. A name that is not known comes back as it is.
    """
    if isinstance(reason, str) and (meaning := _MEANING.get(reason)) is not None:
        return meaning
    word = _word(reason)
    name = _SPACE.sub("_", _SUFFIX.sub("", _HUMP.sub("_", word)).strip()).lower()
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _MEANING.get(name, word)


def is_known(finish: str) -> bool:
    """Tell a meaning from a provider's own word that :func:`read_finish` passed through."""
    return finish in _TABLE


def _word(reason: object, depth: int = 8) -> str:
    if not depth:
        return ""
    if isinstance(reason, Mapping):
        return _word(next((reason[field] for field in _FIELDS if reason.get(field)), None), depth - 1)
    if isinstance(reason, list | tuple):
        return _word(reason[0] if reason else None, depth - 1)
    name = getattr(reason, "name", None)
    if isinstance(name, str) and not isinstance(reason, str):
        return name
    if isinstance(reason, str):
        value = getattr(reason, "value", reason)
        return str(value)[:_LONGEST]
    return "" if reason is None or reason is False else str(reason)[:_LONGEST]


_LONGEST: Final = 80
"""Characters of a name that are kept; what is longer is a sentence."""
