from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from evolver.errors import ModelError, RowModelError, RunModelError, SettingsError, TransientModelError
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Completion, Request, Sampling

Serve = Callable[[Callable[[dict[str, Any]], Any]], AbstractAsyncContextManager[Any]]
ASK = Request("evolve", "What is 2 + 2?", Sampling(), "1.0")
KEY = "sk-very-secret"
WARM_UP = [{"role": "user", "content": "Hello."}]


def chat(text: object = "Four.", finish: str | None = "stop", **message: object) -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": text, **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3},
    }


def said(body: object) -> Callable[[dict[str, Any]], web.Response]:
    return lambda asked: web.json_response(body)


def refused(
    status: int, code: object = None, param: str | None = None, **headers: str
) -> Callable[[dict[str, Any]], web.Response]:
    error = {"message": f"no, {KEY}", "type": "x", "code": code, "param": param}
    return lambda asked: web.json_response({"error": error}, status=status, headers=headers)


async def ask(serve: Serve, reply: Callable[[dict[str, Any]], Any], request: Request = ASK) -> Completion:
    async with serve(reply) as provider:
        model = OpenAIModel("small", base_url=provider.url + "/v1", timeout=20)
        try:
            return await model.complete(request)
        finally:
            await model.aclose()


def failure(serve: Serve, reply: Callable[[dict[str, Any]], Any]) -> ModelError:
    """Return what a model's first call raises, which is what one after an answered call raises, too."""

    def answers_first(body: dict[str, Any]) -> Any:
        return web.json_response(chat()) if body["messages"] == WARM_UP else reply(body)

    async def later() -> None:
        async with serve(answers_first) as provider:
            model = OpenAIModel("small", base_url=provider.url + "/v1", timeout=20)
            try:
                await model.complete(replace(ASK, prompt="Hello."))
                await model.complete(ASK)
            finally:
                await model.aclose()

    with pytest.raises(ModelError) as first:
        asyncio.run(ask(serve, reply))
    with pytest.raises(ModelError) as second:
        asyncio.run(later())
    assert told(first.value) == told(second.value)
    return first.value


def told(error: ModelError) -> tuple[object, ...]:
    """Return all that a run learns from a failure; where a server listens differs from test to test."""
    fields = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return type(error), re.sub(r":\d+", ":PORT", str(error)), fields


def test_an_answer_carries_text_finish_and_both_token_counts(serve: Serve) -> None:
    assert asyncio.run(ask(serve, said(chat()))) == Completion("Four.", "stop", 11, 3)


def test_the_request_is_the_prompt_with_the_papers_sampling_and_the_key_from_the_environment(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")

    async def go() -> Any:
        async with serve(said(chat())) as provider:
            model = OpenAIModel("small", base_url=provider.url + "/v1")
            await model.complete(ASK)
            await model.complete(
                Request("judge", "こ", Sampling(0.0, None, None, 9), "1.0", system="Be brief.")
            )
            await model.aclose()
            return provider

    provider = asyncio.run(go())

    assert provider.asked[0] == {
        "model": "small",
        "messages": [{"role": "user", "content": "What is 2 + 2?"}],
        "temperature": 1.0,
        "top_p": 0.9,
        "max_tokens": 2048,
    }
    assert provider.asked[1] == {
        "model": "small",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "こ"}],
        "temperature": 0.0,
        "max_tokens": 9,
    }
    assert provider.paths == ["/v1/chat/completions"] * 2
    assert provider.headers[0]["authorization"] == f"Bearer {KEY}"
    lengths = [int(headers.pop("content-length")) for headers in provider.headers]
    assert provider.headers[0] == provider.headers[1]
    assert lengths[0] != lengths[1]


def test_effort_and_what_the_user_sends_besides_stand_in_the_body_live_and_in_a_batch(serve: Serve) -> None:
    extra = {"chat_template_kwargs": {"enable_thinking": False}, "top_k": 20}
    request = replace(ASK, sampling=Sampling(reasoning_effort="low", extra_body=extra))

    async def go() -> tuple[dict[str, Any], Any]:
        async with serve(said(chat())) as provider:
            model = OpenAIModel("small", base_url=provider.url + "/v1", key="sk-named")
            await model.complete(request)
            line = json.loads(model.batch_api().line("k", request))
            await model.aclose()
            assert provider.headers[0]["authorization"] == "Bearer sk-named"
            return provider.asked[0], line["body"]

    live, batched = asyncio.run(go())
    assert live == batched
    assert live["reasoning_effort"] == "low"
    assert {name: live[name] for name in extra} == extra


def test_an_effort_that_the_model_refuses_is_left_out_and_told(serve: Serve) -> None:
    told: list[str] = []

    def reply(body: dict[str, Any]) -> web.StreamResponse:
        if "reasoning_effort" in body:
            error = {"message": "Unrecognized request argument supplied: reasoning_effort"}
            return web.json_response({"error": error}, status=400)
        return web.json_response(chat())

    async def go() -> Completion:
        async with serve(reply) as provider:
            model = OpenAIModel("small", base_url=provider.url + "/v1", on_notice=told.append)
            answer = await model.complete(replace(ASK, sampling=Sampling(reasoning_effort="low")))
            await model.aclose()
            return answer

    assert asyncio.run(go()).text == "Four."
    assert len(told) == 1
    assert "reasoning_effort" in told[0]


def test_a_redirect_is_not_followed_and_stops_the_run_with_the_address_it_names(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def go() -> int:
        async with serve(said(chat())) as there, serve(lambda asked: moved(there.url)) as provider:
            model = OpenAIModel("small", base_url=provider.url + "/v1", timeout=20)
            with pytest.raises(RunModelError) as caught:
                await model.complete(ASK)
            await model.aclose()
            assert f"It sends on to {there.url}/v1/chat/completions, which is not followed" in str(
                caught.value
            )
            return len(there.asked)

    assert asyncio.run(go()) == 0


def moved(url: str) -> web.Response:
    return web.Response(status=307, headers={"Location": f"{url}/v1/chat/completions"})


def test_without_a_key_nothing_is_made_and_the_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY is not set; nothing was sent"):
        OpenAIModel("small")


def test_a_key_with_a_character_no_header_carries_is_refused_without_being_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-…secret")
    with pytest.raises(SettingsError) as caught:
        OpenAIModel("small")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://host:port/v1"])
def test_a_base_url_that_is_no_address_fails_before_anything_is_sent(url: str) -> None:
    with pytest.raises(SettingsError, match="nothing was sent"):
        OpenAIModel("small", base_url=url)


def test_a_base_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(
        SettingsError, match=r"nothing was sent.\nWrite http://host:8000/v1 and put the key"
    ) as caught:
        OpenAIModel("small", base_url="http://me:s3cret@host:8000/v1?key=s3cret")
    assert "s3cret" not in str(caught.value)
    assert "me:" not in str(caught.value)


@pytest.mark.parametrize("behind", ["?key=sk-abcdefgh1", "#sk-abcdefgh1", "?", "/?api-version=1"])
@pytest.mark.parametrize("variable", [False, True])
def test_an_address_with_a_query_or_a_fragment_is_refused_wherever_it_comes_from_and_not_repeated(
    behind: str, variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://host:8000/v1" + behind
    if variable:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(SettingsError, match="so no path can follow it; nothing was sent") as caught:
        OpenAIModel("small", base_url=None if variable else url)
    assert "abcdefgh" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind", "overload"),
    [
        (429, "rate_limit_exceeded", "rate_limited", True),
        (429, None, "rate_limited", True),
        (500, None, "server_error", False),
        (502, None, "server_error", False),
        (503, None, "overloaded", True),
        (529, None, "overloaded", True),
        (408, None, "timeout", False),
        (409, None, "server_error", False),
    ],
)
def test_a_passing_failure_is_worth_another_try(
    serve: Serve, status: int, code: str | None, kind: str, overload: bool
) -> None:
    error = failure(serve, refused(status, code))
    assert isinstance(error, TransientModelError)
    assert (error.kind, error.overload) == (kind, overload)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "invalid_api_key"),
        (402, None),
        (403, None),
        (404, "model_not_found"),
        (404, None),
        (405, None),
        (429, "insufficient_quota"),
        (400, "billing_hard_limit_reached"),
    ],
)
def test_what_no_retry_can_cure_stops_the_run(serve: Serve, status: int, code: str | None) -> None:
    error = failure(serve, refused(status, code))
    assert isinstance(error, RunModelError)
    assert "run the same command again" in str(error)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, None, "bad_request"),
        (400, 400, "bad_request"),
        (422, None, "bad_request"),
        (400, "content_filter", "content_filter"),
        (400, "content_policy_violation", "content_filter"),
        (400, "context_length_exceeded", "too_long"),
        (413, None, "too_long"),
    ],
)
def test_what_only_this_request_suffers_is_the_rows_failure(
    serve: Serve, status: int, code: object, kind: str
) -> None:
    error = failure(serve, refused(status, code))
    assert isinstance(error, RowModelError)
    assert error.kind == kind


def test_azures_content_filter_is_read_one_level_deeper(serve: Serve) -> None:
    body = {"error": {"message": "no", "code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}
    error = failure(serve, lambda asked: web.json_response(body, status=400))
    assert isinstance(error, RowModelError)
    assert error.kind == "content_filter"


def test_retry_after_comes_with_the_error(serve: Serve) -> None:
    error = failure(serve, refused(429, None, None, **{"Retry-After": "7"}))
    assert isinstance(error, TransientModelError)
    assert error.retry_after == 7.0


def test_a_provider_that_repeats_the_key_does_not_get_it_into_the_message(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    message = str(failure(serve, refused(401, "invalid_api_key")))
    assert KEY not in message
    assert "openai:small answered 401 (invalid_api_key): no, [key]" in message


def test_a_server_that_is_not_there_is_said_to_be_out_of_reach_not_slow() -> None:
    async def go() -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        model = OpenAIModel("small", base_url=f"http://127.0.0.1:{port}/v1")
        try:
            await model.complete(ASK)
        finally:
            await model.aclose()

    with pytest.raises(TransientModelError, match=r"cannot reach http://127\.0\.0\.1:\d+/v1") as caught:
        asyncio.run(go())
    assert caught.value.kind == "connection"
    assert caught.value.__cause__ is not None


def test_a_connection_cut_before_or_within_the_answer_is_a_connection_failure() -> None:
    async def go(start: bytes) -> None:
        async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        model = OpenAIModel("small", base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        try:
            await model.complete(ASK)
        finally:
            await model.aclose()
            server.close()
            await server.wait_closed()

    for start in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b"no HTTP at all\r\n\r\n"):
        with pytest.raises(TransientModelError) as caught:
            asyncio.run(go(start))
        assert caught.value.kind == "connection", start


def test_a_call_that_is_never_answered_ends_at_its_time_limit(serve: Serve) -> None:
    async def go() -> None:
        async def never(asked: dict[str, Any]) -> web.Response:
            await asyncio.Event().wait()
            raise AssertionError

        async with serve(never) as provider:
            model = OpenAIModel("small", base_url=provider.url, timeout=0.05)
            try:
                await model.complete(ASK)
            finally:
                await model.aclose()

    with pytest.raises(TransientModelError, match="did not answer in time") as caught:
        asyncio.run(go())
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>busy</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{}]}',
        b"\xff",
    ],
)
def test_a_body_that_is_no_completion_is_malformed_and_worth_another_try(serve: Serve, body: bytes) -> None:
    error = failure(serve, lambda asked: web.Response(body=body, content_type="application/json"))
    assert isinstance(error, TransientModelError)
    assert error.kind == "malformed"


def test_a_gateways_failure_inside_a_200_is_read_as_its_status(serve: Serve) -> None:
    error = failure(serve, said({"error": {"code": 502, "message": "upstream"}}))
    assert isinstance(error, TransientModelError)
    assert error.kind == "server_error"
    assert isinstance(failure(serve, said({"error": {"code": 401, "message": "who?"}})), RunModelError)


def test_a_marked_refusal_is_kept_apart_from_the_answer(serve: Serve) -> None:
    answer = asyncio.run(ask(serve, said(chat(None, refusal="I cannot draw."))))
    assert answer == Completion("", "refusal", 11, 3, refusal="I cannot draw.")


def test_an_answer_the_content_filter_cut_is_the_rows_failure(serve: Serve) -> None:
    error = failure(serve, said(chat("half", "content_filter")))
    assert isinstance(error, RowModelError)
    assert error.kind == "content_filter"


@pytest.mark.parametrize(
    ("content", "finish", "expected"),
    [
        (None, "stop", ("", "stop")),
        ("", "stop", ("", "stop")),
        (
            [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}],
            "stop",
            ("ab", "stop"),
        ),
        ("cut", "length", ("cut", "length")),
        ("x", None, ("x", "stop")),
        ("x", "eos", ("x", "stop")),
        ("x", "tool_calls", ("x", "tool_calls")),
        ("half \ud83d a face", "stop", ("half \ufffd a face", "stop")),
        ("日本 🙂 \r\n\t`x`", "stop", ("日本 🙂 \r\n\t`x`", "stop")),
    ],
)
def test_contents_and_finish_reasons_are_made_one(
    serve: Serve, content: object, finish: str | None, expected: tuple[str, str]
) -> None:
    text = json.dumps(chat(content, finish))
    answer = asyncio.run(ask(serve, lambda asked: web.Response(text=text, content_type="application/json")))
    assert (answer.text, answer.finish_reason) == expected


@pytest.mark.parametrize("usage", [None, "many", {"prompt_tokens": None, "completion_tokens": -1}])
def test_tokens_nobody_counted_are_0(serve: Serve, usage: object) -> None:
    answer = asyncio.run(ask(serve, said({**chat(), "usage": usage})))
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


def newer_model(asked: dict[str, Any]) -> web.Response:
    for parameter, code in (("max_tokens", "unsupported_parameter"), ("temperature", "unsupported_value")):
        if parameter in asked:
            return refused(400, code, parameter)(asked)
    return web.json_response(chat())


def test_refused_parameters_are_adapted_once_told_once_and_remembered(serve: Serve) -> None:
    async def go() -> tuple[Any, list[str]]:
        notices: list[str] = []
        async with serve(newer_model) as provider:
            model = OpenAIModel("o9", base_url=provider.url, on_notice=notices.append)
            assert (await model.complete(ASK)).text == "Four."
            assert (await model.complete(ASK)).text == "Four."
            await model.aclose()
            return provider, notices

    provider, notices = asyncio.run(go())

    assert len(provider.asked) == 4  # two lessons, two answers
    assert provider.asked[-1]["max_completion_tokens"] == 2048
    assert "temperature" not in provider.asked[-1]
    assert provider.asked[-1]["top_p"] == 0.9
    assert notices == [
        "openai:o9 takes max_completion_tokens instead of max_tokens, which is sent from now on.",
        "openai:o9 does not accept the temperature asked for, which is left out from now on.",
    ]


def test_calls_that_meet_the_same_refusal_together_are_all_answered_and_tell_it_once(serve: Serve) -> None:
    async def go() -> list[str]:
        notices: list[str] = []
        all_there = asyncio.Barrier(16)

        async def reply(asked: dict[str, Any]) -> web.Response:
            if "max_tokens" in asked:
                await all_there.wait()
            return newer_model(asked)

        async with serve(reply) as provider:
            model = OpenAIModel("o9", base_url=provider.url, on_notice=notices.append)
            answers = await asyncio.gather(*(model.complete(ASK) for _ in range(16)))
            await model.aclose()
        assert {answer.text for answer in answers} == {"Four."}
        return notices

    assert len(asyncio.run(go())) == 2


@pytest.mark.parametrize("parameter", ["top_k", "model", None])
def test_a_refused_parameter_that_cannot_be_adapted_fails_the_row_after_one_call(
    serve: Serve, parameter: str | None
) -> None:
    async def go() -> int:
        async with serve(refused(400, "unsupported_parameter", parameter)) as provider:
            model = OpenAIModel("small", base_url=provider.url)
            with pytest.raises(RowModelError):
                await model.complete(ASK)
            await model.aclose()
            return len(provider.asked)

    assert asyncio.run(go()) == 1


def test_two_hundred_calls_have_two_hundred_connections(serve: Serve) -> None:
    async def go() -> int:
        all_there = asyncio.Barrier(200)

        async def reply(asked: dict[str, Any]) -> web.Response:
            await all_there.wait()
            return web.json_response(chat())

        async with serve(reply) as provider:
            model = OpenAIModel("small", base_url=provider.url)
            answers = await asyncio.gather(*(model.complete(ASK) for _ in range(200)))
            await model.aclose()
            return len(answers)

    assert asyncio.run(asyncio.wait_for(go(), 60)) == 200


def test_a_server_that_refuses_a_parameter_that_is_no_longer_sent_is_not_asked_for_ever(serve: Serve) -> None:
    async def go() -> int:
        async with serve(refused(400, "unsupported_value", "temperature")) as provider:
            model = OpenAIModel("small", base_url=provider.url)
            with pytest.raises(RowModelError):
                await model.complete(ASK)
            await model.aclose()
            return len(provider.asked)

    assert asyncio.run(go()) == 2


def test_a_parameter_refused_in_a_batch_is_left_out_of_the_next_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    async def learn() -> None:
        model = OpenAIModel("gpt")
        assert "top_p" in model.batched(ASK)
        words, code = "Unsupported parameter: 'top_p'.", "unsupported_parameter"
        failed = model.refused_in_batch(400, words, code, {"message": words, "code": code, "param": "top_p"})
        assert isinstance(failed, TransientModelError)
        assert "top_p" not in model.batched(ASK)
        other = model.refused_in_batch(400, "too long", "context_length_exceeded", {"message": "too long"})
        assert isinstance(other, RowModelError)
        await model.aclose()

    asyncio.run(learn())
