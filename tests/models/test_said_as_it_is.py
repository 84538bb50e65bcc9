"""What a user reads when a server cannot work: the cause, in the server's words where it has any, and the mend."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web

from evolver.answers.mends import Asked, address_mend, mend
from evolver.errors import ModelError, RunModelError, TransientModelError
from evolver.models.anthropic import AnthropicModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Request, Sampling

Serve = Callable[[Callable[[dict[str, Any]], Any]], AbstractAsyncContextManager[Any]]
ASK = Request("evolve", "What is 2 + 2?", Sampling(), "1.0")
HERE = "http://127.0.0.1:8000"


def said_by(model: OpenAIModel | AnthropicModel) -> ModelError:
    async def go() -> None:
        try:
            await model.complete(ASK)
        finally:
            await model.aclose()

    with pytest.raises(ModelError) as caught:
        asyncio.run(go())
    return caught.value


def said(serve: Serve, reply: Callable[[dict[str, Any]], Any], path: str = "/v1") -> ModelError:
    async def go() -> ModelError:
        async with serve(reply) as provider:
            return await asyncio.to_thread(said_by, OpenAIModel("small", base_url=provider.url + path))

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("base", "path", "told"),
    [
        (HERE, "/chat/completions", f"may lack /v1: try {HERE}/v1"),
        (f"{HERE}/ok", "/chat/completions", f"may lack /v1: try {HERE}/ok/v1"),
        (f"{HERE}/v1/v1", "/chat/completions", f"/v1 is in it twice: write {HERE}/v1 as"),
        (f"{HERE}/v1", "/v1/messages", f"/v1 is in it twice: write {HERE} as"),
        (f"{HERE}/gw/v1", "/v1/messages", f"/v1 is in it twice: write {HERE}/gw as"),
        (f"{HERE}/v1/chat/completions", "/chat/completions", f"already ends so: write {HERE}/v1."),
        (f"{HERE}/v1/messages", "/v1/messages", f"already ends so: write {HERE}."),
        (f"{HERE}/v1/completions", "/chat/completions", f"already ends so: write {HERE}/v1."),
        (f"{HERE}/v1/responses", "/chat/completions", f"already ends so: write {HERE}/v1."),
    ],
)
def test_an_address_that_lacks_or_doubles_a_part_is_told_with_the_right_one(
    base: str, path: str, told: str
) -> None:
    assert told in address_mend(Asked(base, path, "small"))


@pytest.mark.parametrize(
    "base",
    [
        f"{HERE}/v1",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "https://openrouter.ai/api/v1",
        "https://x.openai.azure.com/openai/v1",
    ],
)
def test_an_address_that_looks_right_is_not_blamed(base: str) -> None:
    assert address_mend(Asked(base, "/chat/completions", "small")) == ""


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (401, None, "Look at the key in OPENAI_API_KEY"),
        (402, None, "Top up the account"),
        (429, "insufficient_quota", "Top up the account"),
        (403, None, "the key's rights"),
        (404, "model_not_found", "has no model 'small'"),
        (404, None, "has no model 'small'"),
    ],
)
def test_each_error_that_stops_a_run_says_what_to_do(status: int, code: str | None, told: str) -> None:
    assert told in mend(status, code, Asked(f"{HERE}/v1", "/chat/completions", "small", "OPENAI_API_KEY"))


def test_a_key_that_is_missing_is_not_called_wrong() -> None:
    asked = Asked(f"{HERE}/v1", "/chat/completions", "small", "OPENAI_API_KEY", keyed=False)
    assert mend(401, None, asked) == "The server wants a key: export OPENAI_API_KEY."


def test_a_404_names_the_address_that_was_asked_and_the_missing_v1(serve: Serve) -> None:
    error = said(serve, lambda asked: web.Response(status=404, text="404 page not found"), path="/ok")
    assert isinstance(error, RunModelError)
    assert "answered 404: 404 page not found" in str(error)
    assert "/ok/chat/completions. The base URL may lack /v1: try http://127.0.0.1:" in str(error)


def test_a_404_at_the_right_address_names_the_model(serve: Serve) -> None:
    error = said(serve, lambda asked: web.json_response({"error": {"message": "no"}}, status=404))
    assert "/v1/chat/completions. If that is the right address, the server has no model 'small'" in str(error)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ('data: {"id": 1}\n\ndata: [DONE]\n\n', "a stream of events", 'data: {"id": 1}'),
        ("\n: keep-alive\n\ndata: x\n\n", "a stream of events", "keep-alive"),
        ("<!DOCTYPE html><title>Sign in</title>", "a web page", "Sign in"),
        ("upstream is busy", "a body that is not JSON", "upstream is busy"),
        ('["a"]', "JSON that is not an object", '["a"]'),
        ('{"error": "this path is not served"}', "an error in place", "this path is not served"),
        ('{"error": {"message": "no such slot", "type": "x"}}', "an error in place", "no such slot"),
        ('{"detail": "Not Found"}', "an error in place", "Not Found"),
        ('{"weather": "fine"}', "a body without a choice", '"weather": "fine"'),
        ("", "nothing", ""),
    ],
)
def test_a_200_that_is_no_completion_is_quoted_with_its_first_words(
    serve: Serve, body: str, kind: str, words: str
) -> None:
    error = said(serve, lambda asked: web.Response(text=body))
    assert isinstance(error, TransientModelError)
    assert error.kind == "malformed"
    assert f"answered with {kind}" in str(error)
    assert words in str(error)


def test_an_error_in_a_200_with_a_status_of_its_own_is_that_error(serve: Serve) -> None:
    body = {"error": {"message": "no such model", "code": "404"}}
    error = said(serve, lambda asked: web.json_response(body), path="/api")
    assert isinstance(error, RunModelError)
    assert "answered 404: no such model" in str(error)


def test_an_error_in_a_200_at_an_address_without_v1_says_so(serve: Serve) -> None:
    error = said(serve, lambda asked: web.json_response({"error": "unexpected path"}), path="/api")
    assert "may lack /v1" in str(error)


def test_a_name_that_does_not_resolve_is_told_as_that() -> None:
    error = said_by(OpenAIModel("small", base_url="http://no-such-host.invalid/v1"))
    assert "the name no-such-host.invalid does not resolve" in str(error)


def test_a_port_where_nothing_listens_is_told_as_that() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        error = said_by(AnthropicModel("small", base_url=f"http://{place}"))
    assert f"nothing listens at {place}" in str(error)
    assert "Start the server" in str(error)


def test_https_at_a_server_without_tls_is_told_as_that(serve: Serve) -> None:
    async def go() -> ModelError:
        async with serve(lambda asked: web.Response()) as provider:
            secure = provider.url.replace("http:", "https:")
            return await asyncio.to_thread(said_by, OpenAIModel("small", base_url=secure + "/v1"))

    error = asyncio.run(go())
    assert "no TLS at 127.0.0.1:" in str(error)
    assert "Write http://" in str(error)
