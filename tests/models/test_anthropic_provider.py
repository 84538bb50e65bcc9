from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from evolver.errors import ModelError, RowModelError, RunModelError, SettingsError, TransientModelError
from evolver.models.anthropic import AnthropicModel
from evolver.models.protocol import Completion, Request, Sampling

Reply = Callable[[dict[str, Any]], web.Response]
Serve = Callable[[Reply], AbstractAsyncContextManager[Any]]
ASK = Request("evolve", "What is 2 + 2?", Sampling(), "1.0")
KEY = "sk-ant-very-secret"


def message(*blocks: dict[str, Any], stop: str | None = "end_turn", **more: object) -> dict[str, Any]:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 4,
        "cache_read_input_tokens": 2,
        "output_tokens": 3,
    }
    return {"type": "message", "content": list(blocks), "stop_reason": stop, "usage": usage, **more}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def said(body: object) -> Reply:
    return lambda asked: web.json_response(body)


def refused(status: int, kind: str, error_code: str | None = None, **headers: str) -> Reply:
    error: dict[str, Any] = {"type": kind, "message": f"no, {KEY}"}
    if error_code:
        error["details"] = {"error_code": error_code}
    return lambda asked: web.json_response({"type": "error", "error": error}, status=status, headers=headers)


async def ask(serve: Serve, reply: Reply, *requests: Request) -> tuple[Completion, Any, list[str]]:
    notices: list[str] = []
    async with serve(reply) as provider:
        model = AnthropicModel("claude-x", base_url=provider.url, timeout=20, on_notice=notices.append)
        try:
            for request in requests or (ASK,):
                answer = await model.complete(request)
        finally:
            await model.aclose()
        return answer, provider, notices


def failure(serve: Serve, reply: Reply) -> ModelError:
    """Return what a model's first call raises, which is what one after an answered call raises, too."""

    def answers_first(body: dict[str, Any]) -> web.Response:
        warm_up = body["messages"][0]["content"] == "Hello."
        return web.json_response(message(text("Hello."))) if warm_up else reply(body)

    with pytest.raises(ModelError) as first:
        asyncio.run(ask(serve, reply))
    with pytest.raises(ModelError) as later:
        asyncio.run(ask(serve, answers_first, replace(ASK, prompt="Hello."), ASK))
    assert told(first.value) == told(later.value)
    return first.value


def told(error: ModelError) -> tuple[object, ...]:
    """Return all that a run learns from a failure; where a server listens differs from test to test."""
    fields = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return type(error), re.sub(r":\d+", ":PORT", str(error)), fields


def test_an_answer_joins_the_text_blocks_and_counts_cached_input(serve: Serve) -> None:
    body = message({"type": "thinking", "thinking": "hm"}, text("Fo"), text("ur."))
    answer, _, _ = asyncio.run(ask(serve, said(body)))
    assert answer == Completion("Four.", "stop", 16, 3, reasoning="hm", reasoning_in="field")


def test_the_request_has_system_text_limit_and_no_frequency_penalty(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    extra = {"top_k": 20}
    sampling = Sampling(0.0, None, 0.5, 16, "low", extra)
    request = Request("judge", "Same?", sampling, "1.0", system="Be brief.")
    _, provider, _ = asyncio.run(ask(serve, said(message(text("x"))), request))
    assert provider.asked == [
        {
            "model": "claude-x",
            "max_tokens": 16,
            "messages": [{"role": "user", "content": "Same?"}],
            "temperature": 0.0,
            "system": "Be brief.",
            "output_config": {"effort": "low"},
            "top_k": 20,
        }
    ]
    assert provider.paths == ["/v1/messages"]
    assert KEY in " ".join(provider.headers[0].values())  # in which header is the SDK's affair
    assert "anthropic-version" in provider.headers[0]


def test_without_a_key_nothing_is_made_and_the_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="ANTHROPIC_API_KEY is not set; nothing was sent"):
        AnthropicModel("claude-x")


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        (None, "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "pause_turn"),
    ],
)
def test_stop_reasons_are_made_one(serve: Serve, stop: str | None, finish: str) -> None:
    answer, _, _ = asyncio.run(ask(serve, said(message(text("x"), stop=stop))))
    assert (answer.text, answer.finish_reason) == ("x", finish)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (message(text("I cannot."), stop="refusal"), "I cannot."),
        (message(stop="refusal", stop_details={"type": "refusal", "explanation": "bio"}), "bio"),
        (message(stop="refusal"), "refused without a word"),
    ],
)
def test_a_refusal_is_kept_apart_from_the_answer(serve: Serve, body: dict[str, Any], refusal: str) -> None:
    answer, _, _ = asyncio.run(ask(serve, said(body)))
    assert answer == Completion("", "refusal", 16, 3, refusal=refusal)


@pytest.mark.parametrize(
    ("status", "kind", "code", "expected"),
    [
        (429, "rate_limit_error", None, "rate_limited"),
        (429, "rate_limit_error", "ramp_limit_exceeded", "rate_limited"),
        (500, "api_error", None, "server_error"),
        (529, "overloaded_error", None, "overloaded"),
        (408, "timeout_error", None, "timeout"),
    ],
)
def test_a_passing_failure_is_worth_another_try(
    serve: Serve, status: int, kind: str, code: str | None, expected: str
) -> None:
    error = failure(serve, refused(status, kind, code, **{"retry-after": "2"}))
    assert isinstance(error, TransientModelError)
    assert (error.kind, error.retry_after) == (expected, 2.0)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, "authentication_error", None),
        (402, "billing_error", None),
        (403, "permission_error", None),
        (404, "not_found_error", None),
        (429, "rate_limit_error", "enforced_spend_limit_reached"),
        (400, "invalid_request_error", "organization_on_hold"),
        (400, "billing_error", None),
    ],
)
def test_what_no_retry_can_cure_stops_the_run_without_repeating_the_key(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, status: int, kind: str, code: str | None
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    error = failure(serve, refused(status, kind, code))
    assert isinstance(error, RunModelError)
    assert KEY not in str(error)


def test_a_body_without_content_is_malformed_and_worth_another_try(serve: Serve) -> None:
    error = failure(serve, said({"type": "message"}))
    assert isinstance(error, TransientModelError)
    assert error.kind == "malformed"


def test_a_request_too_large_is_the_rows_failure(serve: Serve) -> None:
    error = failure(serve, refused(413, "request_too_large"))
    assert isinstance(error, RowModelError)
    assert error.kind == "too_long"


def choosy(*forbidden: set[str]) -> Reply:
    """A model that refuses each of these sets of parameters when all of a set are there."""

    def reply(asked: dict[str, Any]) -> web.Response:
        if any(each <= asked.keys() for each in forbidden):
            return refused(400, "invalid_request_error")(asked)
        return web.json_response(message(text("Four.")))

    return reply


@pytest.mark.parametrize(
    ("forbidden", "calls", "kept", "notice"),
    [
        ([{"temperature", "top_p"}], 2, {"temperature"}, "top_p beside temperature"),
        ([{"temperature"}], 3, {"top_p"}, "temperature beside top_p"),
        ([{"temperature"}, {"top_p"}], 4, set(), "temperature and top_p"),
    ],
)
def test_parameters_a_model_refuses_are_found_out_by_the_first_call_told_once_and_left_out(
    serve: Serve, forbidden: list[set[str]], calls: int, kept: set[str], notice: str
) -> None:
    answer, provider, notices = asyncio.run(ask(serve, choosy(*forbidden), ASK, ASK))
    assert answer.text == "Four."
    assert len(provider.asked) == calls + 1
    assert {"temperature", "top_p"} & provider.asked[-1].keys() == kept
    assert notices == [f"anthropic:claude-x does not accept {notice}; it is left out from now on."]


def test_what_a_model_accepts_of_one_set_of_parameters_says_nothing_about_another(serve: Serve) -> None:
    judge = Request("judge", "Same?", Sampling(0.0, None), "1.0")
    answer, provider, _ = asyncio.run(ask(serve, choosy({"temperature", "top_p"}), judge, ASK, judge))
    assert answer.text == "Four."
    assert [sorted({"temperature", "top_p"} & asked.keys()) for asked in provider.asked] == [
        ["temperature"],
        ["temperature", "top_p"],
        ["temperature"],
        ["temperature"],
    ]


def test_a_request_refused_in_every_shape_is_the_rows_failure_and_teaches_nothing(serve: Serve) -> None:
    async def go() -> tuple[int, list[str]]:
        notices: list[str] = []

        def reply(asked: dict[str, Any]) -> web.Response:
            bad = asked["messages"][0]["content"] == "bad"
            return (refused(400, "invalid_request_error") if bad else said(message(text("Four."))))(asked)

        async with serve(reply) as provider:
            model = AnthropicModel("claude-x", base_url=provider.url, on_notice=notices.append)
            with pytest.raises(RowModelError) as caught:
                await model.complete(Request("evolve", "bad", Sampling(), "1.0"))
            assert caught.value.kind == "bad_request"
            await model.complete(ASK)
            with pytest.raises(RowModelError):
                await model.complete(Request("evolve", "bad", Sampling(), "1.0"))
            await model.aclose()
            assert "temperature" in provider.asked[-1]
            return len(provider.asked), notices

    assert asyncio.run(go()) == (6, [])  # four shapes, the good one, and one that needs no search any more


def test_a_temperature_above_1_stops_the_run_before_anything_is_sent(serve: Serve) -> None:
    async def go() -> int:
        async with serve(said(message(text("x")))) as provider:
            model = AnthropicModel("claude-x", base_url=provider.url)
            with pytest.raises(RunModelError, match=r"temperatures from 0 to 1, not 1\.3; nothing was sent"):
                await model.complete(Request("evolve", "x", Sampling(1.3), "1.0"))
            await model.aclose()
            return len(provider.asked)

    assert asyncio.run(go()) == 0
