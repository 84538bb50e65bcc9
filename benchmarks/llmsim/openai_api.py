"""OpenAI's chat completions as the simulated provider speaks them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.llmsim.api import UNKNOWN_MODEL_PREFIX, Answer, Ask, Problem, Trouble, text_of, tokens
from benchmarks.llmsim.dialects import Dialect
from benchmarks.llmsim.draws import digest
from benchmarks.llmsim.wire import Request

_INVALID = "invalid_request_error"
_TROUBLES: dict[Trouble, Problem] = {
    "bad_key": Problem(401, _INVALID, "Incorrect API key provided.", "invalid_api_key"),
    "forbidden": Problem(
        403, _INVALID, "You have insufficient permissions for this operation.", "missing_scope"
    ),
    "no_quota": Problem(
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
    ),
    "rate_limited": Problem(429, "requests", "Rate limit reached for requests.", "rate_limit_exceeded"),
    "overloaded": Problem(503, "server_error", "The engine is currently overloaded, please try again later."),
    "server_error": Problem(500, "server_error", "The server had an error while processing your request."),
    "not_found": Problem(404, _INVALID, "Unknown request URL."),
    "unknown_model": Problem(404, _INVALID, "The model does not exist.", "model_not_found"),
    "policy": Problem(400, _INVALID, "The prompt is against our content policy.", "content_policy_violation"),
    "too_large": Problem(413, _INVALID, "The request is too large."),
    "too_long": Problem(
        400, _INVALID, "The prompt exceeds the model's context length.", "context_length_exceeded", "messages"
    ),
    "invalid": Problem(400, _INVALID, "The request cannot be understood."),
}
_SAMPLING = {
    "temperature": None,
    "top_p": None,
    "frequency_penalty": 0.0,
    "presence_penalty": None,
    "seed": None,
}
"""What shapes an answer besides the messages, with the value that a missing one stands for."""


class OpenAIApi:
    """Chat completions: one choice, no streaming, no tools; in the dialect that is set, or OpenAI's own."""

    dialect: Dialect | None = None

    def read(self, body: Mapping[str, Any]) -> Ask | Problem:
        """Understand a request; models named ``gpt-5…``, ``o1``, ``o3-…`` refuse what reasoning models refuse."""
        model, messages = body.get("model"), body.get("messages")
        if not isinstance(model, str) or not isinstance(messages, list) or not messages:
            return _invalid("you must provide a model and messages", "messages")
        if model.startswith(UNKNOWN_MODEL_PREFIX):
            return Problem(404, _INVALID, f"The model `{model}` does not exist.", "model_not_found")
        if body.get("stream") or body.get("n", 1) != 1:
            return _invalid("this server gives one choice, and not as a stream", "stream")
        if _reasons(model):
            refused = _refused_by_reasoning(body)
            if refused is not None:
                return refused
        if self.dialect is not None:
            problem = self.dialect.refusal(body)
            if problem is not None:
                return problem
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        turns = [(m.get("role"), text_of(m.get("content"))) for m in messages if isinstance(m, dict)]
        if len(turns) != len(messages) or any(text is None for _, text in turns):
            return _invalid("a message has a role and text", "messages")
        if self.dialect is not None:  # what a dialect leaves out must not change the answer
            content = digest(model, turns)
        else:
            content = digest(
                model, turns, limit, *[body.get(name, usual) for name, usual in _SAMPLING.items()]
            )
        system = next((text for role, text in turns if role in {"system", "developer"}), None)
        return Ask(
            model=model,
            prompt=turns[-1][1] or "",
            system=system,
            digest=content,
            prompt_tokens=tokens(sum([len(text or "") for _, text in turns])),
            max_tokens=limit,
        )

    def key(self, request: Request) -> str:
        """Return the bearer token."""
        return request.header(b"authorization").removeprefix("Bearer ")

    def problem(self, trouble: Trouble, message: str = "") -> Problem:
        """Name a trouble with OpenAI's type and code."""
        usual = _TROUBLES[trouble]
        return Problem(usual.status, usual.kind, message or usual.message, usual.code, usual.param)

    def message(self, ask: Ask, answer: Answer, number: int) -> dict[str, Any]:
        """Return a chat completion; a refusal has no content and finish reason ``stop``."""
        if self.dialect is not None and answer.finish != "refusal":
            return _in_dialect(self.dialect, ask, answer, number)
        refused = answer.finish == "refusal"
        return {
            "id": f"chatcmpl-sim{number:016x}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": ask.model,
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": None if refused else answer.text,
                        "refusal": answer.text if refused else None,
                        "annotations": [],
                    },
                    "logprobs": None,
                    "finish_reason": "stop" if refused else answer.finish,
                }
            ],
            "usage": {
                "prompt_tokens": ask.prompt_tokens,
                "completion_tokens": answer.tokens,
                "total_tokens": ask.prompt_tokens + answer.tokens,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
            },
            "service_tier": "default",
            "system_fingerprint": "fp_llmsim",
        }

    def error(self, problem: Problem, number: int) -> Any:
        """Return ``{"error": …}`` with all four fields, or what the dialect has in its place."""
        if self.dialect is not None:
            return self.dialect.error(problem)
        return {
            "error": {
                "message": problem.message,
                "type": problem.kind,
                "param": problem.param,
                "code": problem.code,
            }
        }

    def headers(self, number: int, limit: int, remaining: int) -> bytes:
        """Return the request's id and the limits."""
        return (
            b"x-request-id: req_%032x\r\nopenai-version: 2020-10-01\r\nopenai-organization: org-llmsim\r\n"
            b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-remaining-requests: %d\r\n"
            b"x-ratelimit-reset-requests: 1s\r\nx-ratelimit-limit-tokens: 100000000\r\n"
            b"x-ratelimit-remaining-tokens: 100000000\r\nx-ratelimit-reset-tokens: 0s\r\n"
        ) % (number, limit, remaining)

    def prompt_refused(self) -> Problem | None:
        """Return nothing: the filter ends an answer with its own finish reason."""
        return None


def _in_dialect(dialect: Dialect, ask: Ask, answer: Answer, number: int) -> dict[str, Any]:
    text = answer.text + dialect.tail if answer.text else answer.text
    place = dialect.place if answer.thought else None
    said = {"content": text} if place is None else place(answer.thought, text)
    choice = {
        "index": 0,
        "message": {"role": "assistant", **said},
        "finish_reason": dialect.ends.get(answer.finish, answer.finish),
    }
    return {
        "id": f"chatcmpl-sim{number:016x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [choice],
        "usage": dialect.usage(ask.prompt_tokens, answer.tokens, answer.thought_tokens),
    }


def _reasons(model: str) -> bool:
    return model.startswith("gpt-5") or (len(model) > 1 and model[0] == "o" and model[1].isdigit())


def _refused_by_reasoning(body: Mapping[str, Any]) -> Problem | None:
    if "max_tokens" in body:
        return _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    if body.get("temperature", 1) != 1:
        return Problem(
            400,
            _INVALID,
            f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. "
            "Only the default (1) value is supported.",
            "unsupported_value",
            "temperature",
        )
    for name in ("top_p", "frequency_penalty", "presence_penalty"):
        if name in body:
            return _unsupported(name)
    return None


def _unsupported(name: str, instead: str = "") -> Problem:
    text = f"Unsupported parameter: '{name}' is not supported with this model.{instead}"
    return Problem(400, _INVALID, text, "unsupported_parameter", name)


def _invalid(message: str, param: str) -> Problem:
    return Problem(400, _INVALID, message, None, param)
