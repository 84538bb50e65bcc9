"""How the servers that people run differ from OpenAI's, as named profiles.

Each says where the reasoning lies, how an end is called, how tokens are counted, which parameters are refused and in
what shape, and how errors look. They are drawn from public documentation and reports; none is a whole server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.llmsim.api import Problem

Json = dict[str, Any]
Place = Callable[[str, str], Json]
"""From thought and text to the fields of a message."""

Counted = Callable[[int, int, int], object]
"""From tokens of the prompt, of the completion and of the thought among them to a ``usage``."""


def _inline(form: str) -> Place:
    """Thought and text in one; a thought that was cut has no closing tag."""
    cut = form.partition("{thought}")[0] + "{thought}"
    return lambda thought, text: {"content": (form if text else cut).format(thought=thought, text=text)}


def _beside(*fields: str) -> Place:
    return lambda thought, text: {"content": text, **dict.fromkeys(fields, thought)}


def _details(thought: str, text: str) -> Json:
    return {
        "content": text,
        "reasoning": thought,
        "reasoning_details": [{"type": "reasoning.text", "text": thought, "format": "unknown", "index": 0}],
    }


def _parts(thought: str, text: str) -> Json:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": thought}]}
    return {"content": [thinking, {"type": "text", "text": text}]}


def _hidden(thought: str, text: str) -> Json:
    return {"content": text}


def _plain_usage(prompt: int, completion: int, thought: int) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _detailed_usage(prompt: int, completion: int, thought: int) -> Json:
    details = {"reasoning_tokens": thought}
    return {**_plain_usage(prompt, completion, thought), "completion_tokens_details": details}


def _float_usage(prompt: int, completion: int, thought: int) -> Json:
    return {name: float(value) for name, value in _plain_usage(prompt, completion, thought).items()}


def _text_usage(prompt: int, completion: int, thought: int) -> Json:
    return {name: str(value) for name, value in _plain_usage(prompt, completion, thought).items()}


def _no_usage(prompt: int, completion: int, thought: int) -> None:
    return None


def _openai_error(problem: Problem) -> object:
    named = {"param": problem.param, "code": problem.code}
    return {"error": {"message": problem.message, "type": problem.kind, **named}}


def _unnamed_error(problem: Problem) -> object:
    """An error that names neither parameter nor code but in its words."""
    return {"error": {"code": problem.status, "message": problem.message, "type": problem.kind}}


def _list_error(problem: Problem) -> object:
    return [{"error": {"code": problem.status, "message": problem.message, "status": "INVALID_ARGUMENT"}}]


def _word_error(problem: Problem) -> object:
    return {"error": problem.message}


def _detail_error(problem: Problem) -> object:
    if problem.param is None:
        return {
            "object": "error",
            "message": problem.message,
            "type": problem.kind,
            "param": None,
            "code": None,
        }
    place = {"type": "extra_forbidden", "loc": ["body", problem.param], "msg": "no such field", "input": 0}
    return {
        "object": "error",
        "message": {"detail": [place]},
        "type": problem.kind,
        "param": None,
        "code": None,
    }


@dataclass(frozen=True, slots=True)
class Dialect:
    """One profile.

    ``place`` puts thought and text into a message, ``None`` where the model does not think; ``ends`` names finish
    reasons that differ from OpenAI's; ``refuses`` are parameters, each with the words of its refusal; ``excludes`` are
    two that exclude each other; ``most_tokens`` is the largest limit taken; ``tail`` follows every text.
    """

    place: Place | None = None
    ends: Mapping[str, object] = field(default_factory=dict)
    usage: Counted = _plain_usage
    refuses: Mapping[str, str] = field(default_factory=dict)
    excludes: tuple[str, str] | None = None
    most_tokens: int | None = None
    status: int = 400
    code: str | None = None
    error: Callable[[Problem], object] = _openai_error
    tail: str = ""

    def refusal(self, body: Mapping[str, Any]) -> Problem | None:
        """Return why a request's parameters are refused, if they are."""
        kind = "invalid_request_error"
        for name, words in self.refuses.items():
            if name in body:
                return Problem(self.status, kind, words, self.code, name)
        if self.excludes and all(name in body for name in self.excludes):
            first, second = self.excludes
            return Problem(self.status, kind, f"give {first} or {second}, not both")
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 0
        if self.most_tokens is not None and limit > self.most_tokens:
            return Problem(self.status, kind, f"the valid range of max_tokens is [1, {self.most_tokens}]")
        return None


_UNSUPPORTED = "Unsupported parameter: '{0}' is not supported with this model."
_NEWER = {
    "max_tokens": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
    "top_p": _UNSUPPORTED.format("top_p"),
    "temperature": _UNSUPPORTED.format("temperature"),
}
_HARMONY = "<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant<|channel|>final<|message|>{text}<|return|>"

DIALECTS: Mapping[str, Dialect] = {
    "plain": Dialect(),
    "anthropic-thinking": Dialect(),  # the other API's; see AnthropicApi
    "azure": Dialect(_hidden, usage=_detailed_usage, refuses=_NEWER, code="unsupported_parameter"),
    "chatml": Dialect(tail="<|im_end|>\n<|im_start|>user\nNext question"),
    "claude-gateway": Dialect(excludes=("temperature", "top_p"), error=_unnamed_error),
    "deepseek": Dialect(_beside("reasoning_content"), usage=_detailed_usage, most_tokens=8192),
    "gemini": Dialect(
        _inline("<thought>{thought}</thought>{text}"),
        {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "PROHIBITED_CONTENT"},
        refuses={"frequency_penalty": 'Unknown name "frequencyPenalty": Cannot find field.'},
        error=_list_error,
    ),
    "groq": Dialect(
        _beside("reasoning"),
        refuses={"top_p": "property 'top_p' is unsupported"},
        error=_unnamed_error,
    ),
    "harmony": Dialect(_inline(_HARMONY)),
    "kimi": Dialect(_inline("◁think▷{thought}◁/think▷{text}")),
    "llamacpp": Dialect(_beside("reasoning_content"), usage=_text_usage, error=_unnamed_error),
    "lmstudio": Dialect(
        _inline("<think>\n{thought}\n</think>\n\n{text}"), usage=_float_usage, error=_word_error
    ),
    "magistral": Dialect(_inline("[THINK]{thought}[/THINK]{text}")),
    "mistral": Dialect(
        _parts,
        {"length": "model_length"},
        refuses={"top_p": "no such field"},
        status=422,
        error=_detail_error,
    ),
    "ollama": Dialect(_beside("reasoning"), usage=_no_usage, error=_word_error),
    "openrouter": Dialect(
        _details, {"content_filter": "content_filter: moderated"}, _detailed_usage, error=_unnamed_error
    ),
    "seed": Dialect(_inline("<seed:think>{thought}</seed:think>{text}")),
    "sglang": Dialect(
        _beside("reasoning_content"),
        {"stop": {"type": "stop", "matched": 2}, "length": {"type": "length", "length": 2048}},
    ),
    "vllm-think": Dialect(_inline("{thought}\n</think>\n\n{text}"), usage=_float_usage),
    "vllm-parser": Dialect(_beside("reasoning", "reasoning_content"), usage=_plain_usage),
}
"""Every profile; ``plain`` is OpenAI's own without a difference, for comparisons."""
