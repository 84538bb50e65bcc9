"""Anthropic's messages as the simulated provider speaks them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.llmsim.api import UNKNOWN_MODEL_PREFIX, Answer, Ask, Problem, Trouble, text_of, tokens
from benchmarks.llmsim.draws import digest
from benchmarks.llmsim.wire import Request

_INVALID = "invalid_request_error"
_TROUBLES: dict[Trouble, Problem] = {
    "bad_key": Problem(401, "authentication_error", "invalid x-api-key"),
    "forbidden": Problem(403, "permission_error", "Your API key may not use this resource."),
    "no_quota": Problem(402, "billing_error", "Your credit balance is too low to access the API."),
    "rate_limited": Problem(429, "rate_limit_error", "This request would exceed your rate limit."),
    "overloaded": Problem(529, "overloaded_error", "Overloaded"),
    "server_error": Problem(500, "api_error", "Internal server error"),
    "not_found": Problem(404, "not_found_error", "Not found"),
    "unknown_model": Problem(404, "not_found_error", "model: not found"),
    "policy": Problem(400, _INVALID, "The prompt was blocked by the content filtering policy."),
    "too_large": Problem(413, "request_too_large", "Request exceeds the maximum size."),
    "too_long": Problem(400, _INVALID, "prompt is too long"),
    "invalid": Problem(400, _INVALID, "The request cannot be understood."),
}
_FINISH = {"stop": "end_turn", "length": "max_tokens", "refusal": "refusal"}
_KNOWN = frozenset(
    {
        "model",
        "messages",
        "max_tokens",
        "system",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "stream",
        "metadata",
        "thinking",
        "service_tier",
        "tools",
        "tool_choice",
    }
)
_ONE_OF_TWO = re.compile(r"claude-[a-z]+-4-[1-6]\b")
_NO_SAMPLING = re.compile(r"claude-[a-z]+-(?:4-[7-9]\b|[5-9])")
_SAMPLING = ("temperature", "top_p", "top_k")


class AnthropicApi:
    """Messages: text blocks only, no streaming, no tools.

    Sampling parameters go the way they went at the provider: models up to ``claude-…-4-0`` take them all, those from
    4-1 to 4-6 refuse temperature beside top_p, and later ones refuse every one of them. ``thinking`` is the dialect in
    which thoughts come in blocks, some of them redacted, and temperature beside top_p is refused.
    """

    thinking = False
    plain = False

    def read(self, body: Mapping[str, Any]) -> Ask | Problem:
        """Understand a request, or say what the provider would not accept about it."""
        wrong = _wrong_parameter(body)
        if wrong is None and self.thinking and "temperature" in body and "top_p" in body:
            wrong = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
        if wrong is not None:
            return Problem(400, _INVALID, wrong)
        model, messages, limit = body["model"], body["messages"], body["max_tokens"]
        if model.startswith(UNKNOWN_MODEL_PREFIX):
            return Problem(404, "not_found_error", f"model: {model}")
        turns = [(m.get("role"), text_of(m.get("content"))) for m in messages if isinstance(m, dict)]
        if len(turns) != len(messages) or any(not text for _, text in turns):
            return Problem(400, _INVALID, "messages: text content blocks must be non-empty")
        system = text_of(body["system"]) if "system" in body else None
        sampling = () if self.plain else (body.get("temperature"), body.get("top_p"), body.get("top_k"))
        shape = () if self.plain else (limit,)
        return Ask(
            model=model,
            prompt=turns[-1][1] or "",
            system=system,
            digest=digest(model, system, turns, *shape, *sampling),
            prompt_tokens=tokens(sum([len(text or "") for _, text in turns]) + len(system or "")),
            max_tokens=limit,
        )

    def key(self, request: Request) -> str:
        """Return the key, which may also come as a bearer token."""
        return request.header(b"x-api-key") or request.header(b"authorization").removeprefix("Bearer ")

    def problem(self, trouble: Trouble, message: str = "") -> Problem:
        """Name a trouble with Anthropic's type; there are no codes."""
        usual = _TROUBLES[trouble]
        return Problem(usual.status, usual.kind, message or usual.message)

    def message(self, ask: Ask, answer: Answer, number: int) -> dict[str, Any]:
        """Return a message; one without text has no content block at all."""
        refused = answer.finish == "refusal"
        shown: list[dict[str, Any]] = (
            [] if refused or not answer.text else [{"type": "text", "text": answer.text}]
        )
        if answer.thought:
            redacted = {"type": "redacted_thinking", "data": "c2lt"}
            shown = [redacted, {"type": "thinking", "thinking": answer.thought, "signature": "sim"}, *shown]
        details = {"type": "refusal", "category": "general_harms", "explanation": answer.text}
        return {
            "id": f"msg_sim{number:016x}",
            "type": "message",
            "role": "assistant",
            "model": ask.model,
            "content": shown,
            "stop_reason": _FINISH[answer.finish],
            "stop_sequence": None,
            "stop_details": details if refused else None,
            "usage": {
                "input_tokens": ask.prompt_tokens,
                "output_tokens": answer.tokens,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "service_tier": "standard",
            },
        }

    def error(self, problem: Problem, number: int) -> dict[str, Any]:
        """Return ``{"type": "error", …}`` with the request's id."""
        return {
            "type": "error",
            "error": {"type": problem.kind, "message": problem.message},
            "request_id": f"req_sim{number:016x}",
        }

    def headers(self, number: int, limit: int, remaining: int) -> bytes:
        """Return the request's id and the limits."""
        reset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()).encode()
        return (
            b"request-id: req_sim%016x\r\nanthropic-organization-id: org-llmsim\r\n"
            b"anthropic-ratelimit-requests-limit: %d\r\nanthropic-ratelimit-requests-remaining: %d\r\n"
            b"anthropic-ratelimit-requests-reset: %b\r\n"
        ) % (number, limit, remaining, reset)

    def prompt_refused(self) -> Problem | None:
        """Return the error that a filtered answer becomes: there is no finish reason for it."""
        return Problem(400, _INVALID, "Output blocked by content filtering policy")


def _wrong_parameter(body: Mapping[str, Any]) -> str | None:
    if not isinstance(body.get("model"), str):
        return "model: Field required"
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        return "messages: Field required"
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        return "max_tokens: Field required"
    if body.get("stream"):
        return "stream: this server does not stream"
    extra = body.keys() - _KNOWN
    if extra:
        return f"{min(extra)}: Extra inputs are not permitted"
    return _wrong_sampling(body)


def _wrong_sampling(body: Mapping[str, Any]) -> str | None:
    given = [name for name in _SAMPLING if name in body]
    if given and _NO_SAMPLING.match(body["model"]):
        return f"`{given[0]}` is deprecated for this model."
    if (body.get("temperature") or 0) > 1:
        return "temperature: range: 0..1"
    if "temperature" in body and "top_p" in body and _ONE_OF_TWO.match(body["model"]):
        return "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    return None
