"""Keys in what servers and packages say, in twelve forms and more, through every way a text comes in."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote as percent

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models.chat_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableLambda
from pydantic import SecretStr

from evolver.errors import ModelError
from evolver.models.anthropic import AnthropicModel
from evolver.models.batch.protocol import BatchState
from evolver.models.langchain import LangChainModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Completion, Request, Sampling
from evolver.quoting import PLACE, quote, redact, without_keys
from scripts.secret_forms import Secret, found_in

Serve = Callable[[Callable[[Any], Any]], AbstractAsyncContextManager[Any]]
KEY = "sk-Proj/4f+9A~zzQ7xLm=02kd-Wq"
ASK = Request("evolve", "Why?", Sampling(), "1.1")
FORMS: dict[str, str] = {
    "plain": KEY,
    "upper case": KEY.upper(),
    "percent": percent(KEY, safe=""),
    "percent, every sign": "".join(f"%{ord(sign):02X}" for sign in KEY),
    "percent twice": percent(percent(KEY, safe=""), safe=""),
    "json": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "json, every sign": "".join(f"\\u{ord(sign):04x}" for sign in KEY),
    "json in json": json.dumps(json.dumps(KEY.replace("/", "\\/"))),
    "html": "".join(f"&#{ord(sign)};" for sign in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of a header": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"a{KEY}".encode()).decode(),
    "hex": KEY.encode().hex(),
    "split by blanks": " ".join(KEY),
    "split by lines": f"{KEY[:9]}\r\n\t{KEY[9:]}",
    "split by nothing, percent": percent("\u200b".join(KEY)),
    "split by nothing, hex": "\u200b".join(KEY).encode().decode("latin-1").encode("unicode_escape").decode(),
    "cut in front": KEY[7:],
    "cut behind": KEY[:-7],
    "cut at both ends": KEY[6:18],
}


def gives_away(text: str) -> bool:
    """Tell whether 12 characters in a row of the key are in a text, in any of the forms."""
    tight = "".join(text.split()).lower()
    whole = (form for name, form in FORMS.items() if "cut" not in name and "header" not in name)
    forms = ["".join(form.split()).lower() for form in whole]
    return any(form[at : at + 12] in tight for form in forms for at in range(len(form) - 11))


@pytest.fixture(params=FORMS)
def echo(request: pytest.FixtureRequest) -> str:
    return f"Incorrect API key provided: '{FORMS[request.param]}'. Find yours at home."


def test_a_key_is_taken_out_of_a_text_in_every_form(echo: str) -> None:
    said = quote(echo, KEY)
    assert not gives_away(said)
    assert PLACE in said
    assert said.startswith("Incorrect API key provided: ")
    assert said.endswith("Find yours at home.")


def test_a_key_is_taken_out_before_a_text_is_cut(echo: str) -> None:
    for length in range(230, 300, 3):
        assert not gives_away(quote("x " * (length // 2) + echo, KEY))


@pytest.mark.parametrize("provider", [OpenAIModel, AnthropicModel])
def test_a_live_call_repeats_no_key(
    provider: type[OpenAIModel] | type[AnthropicModel],
    echo: str,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    error = {"message": echo, "type": "authentication_error", "code": echo}

    async def go() -> str:
        async with serve(lambda asked: web.json_response({"error": error}, status=401)) as server:
            model = provider("m", base_url=server.url)
            try:
                with pytest.raises(ModelError) as caught:
                    await model.complete(ASK)
            finally:
                await model.aclose()
            return str(caught.value)

    assert not gives_away(asyncio.run(go()))


@pytest.mark.parametrize("provider", [OpenAIModel, AnthropicModel])
def test_a_failure_in_the_results_of_a_batch_repeats_no_key(
    provider: type[OpenAIModel] | type[AnthropicModel],
    echo: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    error = {"message": echo, "code": echo, "type": echo}
    entries = {
        OpenAIModel: {"custom_id": "a", "response": {"status_code": 400, "body": {"error": error}}},
        AnthropicModel: {"custom_id": "a", "result": {"type": "errored", "error": {"error": error}}},
    }
    content = json.dumps(entries[provider]).encode()

    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=content)

    async def go() -> list[str]:
        app = web.Application()
        app.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            model = provider("m", base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
            try:
                state = BatchState("b", "ended", files=("f",))
                return [str(outcome) async for _, outcome in model.batch_api().results(state)]
            finally:
                await model.aclose()
        finally:
            await runner.cleanup()

    (said,) = asyncio.run(go())
    assert not gives_away(said)


class Echoing(SimpleChatModel):
    """A chat model that fails with what it is given, and holds a key in some field."""

    says: str
    api_key: Any = None
    default_headers: Any = None

    @property
    def _llm_type(self) -> str:
        return "echoing"

    def _call(self, messages: list[BaseMessage], *given: object, **more: object) -> str:
        raise ValueError(self.says)


HOLDERS: dict[str, Callable[[str], Any]] = {
    "secret": lambda says: Echoing(says=says, api_key=SecretStr(KEY)),
    "text": lambda says: Echoing(says=says, api_key=KEY),
    "function": lambda says: Echoing(says=says, api_key=lambda: KEY),
    "header": lambda says: Echoing(says=says, default_headers={"Authorization": f"Bearer {KEY}"}),
    "bound": lambda says: Echoing(says=says).bind(api_key=KEY),
    "retry": lambda says: Echoing(says=says, api_key=SecretStr(KEY)).with_retry(stop_after_attempt=1),
    "fallback": lambda says: Echoing(says=says).with_fallbacks([Echoing(says=says, api_key=SecretStr(KEY))]),
    "chain": lambda says: RunnableLambda(lambda x: x) | Echoing(says=says, api_key=SecretStr(KEY)),
}


def failure_of(chat: Any) -> str:
    async def go() -> str:
        model = LangChainModel(chat)
        try:
            with pytest.raises(ModelError) as caught:
                await model.complete(ASK)
        finally:
            await model.aclose()
        return str(caught.value)

    return asyncio.run(go())


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_langchain_object_repeats_no_key_wherever_it_holds_it(holder: str) -> None:
    said = failure_of(HOLDERS[holder](f"bad key {KEY} given"))
    assert not gives_away(said)
    assert f"bad key {PLACE} given" in said


def test_a_langchain_object_repeats_no_key_in_any_form(echo: str) -> None:
    assert not gives_away(failure_of(HOLDERS["secret"](echo)))


@pytest.mark.parametrize(
    "variable", ["ACME_API_KEY", "HF_TOKEN", "APP_SECRET", "PGPASSWORD", "aws_secret_access_key"]
)
def test_what_a_variable_named_like_a_secret_holds_is_taken_out(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"{KEY[:10]}\r\n{KEY[10:]}\n")
    assert redact(f"got {KEY}.") == f"got {PLACE}."


@pytest.mark.parametrize("ordinary", ["none", "production", "EMPTY", "ollama", "secret", "short1", ""])
def test_ordinary_words_are_left_alone_whatever_variable_holds_them(
    ordinary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", ordinary)
    text = "none of the production servers is EMPTY; ollama keeps no secret short1"
    assert redact(text, ordinary) == text


def test_eleven_signs_of_a_key_stay_and_twelve_go() -> None:
    assert redact(f"x {KEY[:11]}", KEY) == f"x {KEY[:11]}"
    assert redact(f"x {KEY[:12]}", KEY) == f"x {PLACE}"


def test_what_a_terminal_would_obey_is_made_visible_and_lone_surrogates_go() -> None:
    said = quote("a\x1b]52;c;QUJD\x07b\u202ec\ud800d\r\ne")
    assert said.isprintable()
    assert said.startswith("a")
    said.encode()


def answered(
    provider: type[OpenAIModel] | type[AnthropicModel], text: str, serve: Serve, word: str
) -> Completion:
    """Ask a model whose server answers with a text, and calls the end and itself by a word."""
    bodies: dict[type[object], dict[str, Any]] = {
        OpenAIModel: {
            "model": word,
            "choices": [{"message": {"content": text, "reasoning_content": text}, "finish_reason": word}],
        },
        AnthropicModel: {
            "model": word,
            "stop_reason": word,
            "content": [{"type": "thinking", "thinking": text}, {"type": "text", "text": text}],
        },
    }

    async def go() -> Completion:
        async with serve(lambda asked: web.json_response(bodies[provider])) as server:
            model = provider("m", base_url=server.url)
            try:
                return await model.complete(ASK)
            finally:
                await model.aclose()

    return asyncio.run(go())


@pytest.mark.parametrize("provider", [OpenAIModel, AnthropicModel])
def test_a_completion_repeats_no_key_that_it_was_asked_with(
    provider: type[OpenAIModel] | type[AnthropicModel],
    echo: str,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    made = answered(provider, echo, serve, echo)
    assert found_in(str(made).encode(), [Secret(KEY, "")]) == []
    assert PLACE in made.text
    assert made.text.endswith("Find yours at home.")


def test_a_completion_of_a_langchain_object_repeats_no_key() -> None:
    class Answering(Echoing):
        def _call(self, messages: list[BaseMessage], *given: object, **more: object) -> str:
            return self.says

    model = LangChainModel(Answering(says=f"It is {KEY}.", api_key=SecretStr(KEY)))
    made = asyncio.run(model.complete(ASK))
    assert made.text == f"It is sk-{PLACE}."


@pytest.mark.parametrize(
    "key", ["none", "sk-no-key-required", "your-api-key-goes-here", "password123", "12345678901234567890"]
)
def test_what_does_not_look_like_a_key_is_left_in_completions(key: str) -> None:
    text = f"Start llama.cpp with --api-key {key}, and the client with the same."
    assert without_keys(text, (key,)) == text


def test_what_all_keys_of_a_provider_begin_with_is_left_in_completions() -> None:
    key = "sk-ant-api03-Ab3dE5gH7jK9mN1pQ3sT"
    text = "Keys of Anthropic begin with sk-ant-api03-, as sk-ant-api03-XXXXXXXXXX."
    assert without_keys(text, (key,)) == text
    assert without_keys(key, (key,)) == f"sk-ant-api03-{PLACE}"


@given(st.integers(0, 40), st.integers(0, 60))
def test_a_part_of_a_key_is_found_wherever_it_stands_in_a_text(before: int, start: int) -> None:
    key = "".join(f"{chr(97 + n % 26)}{n % 10}" for n in range(36))
    part = key[start : start + 12]
    assert without_keys("!" * before + part + "é", (key,)) == "!" * before + PLACE + "é"


@pytest.mark.parametrize(
    "answer",
    [
        {"id": f"batch-{KEY}", "status": "completed"},
        {"id": "b", "status": "failed", "errors": {"data": [{"code": "x", "message": f"sent {KEY}"}]}},
    ],
    ids=["named by it", "refused with it"],
)
def test_a_batch_that_is_named_by_the_key_or_refused_with_it_repeats_no_key(answer: dict[str, Any]) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(answer)

    async def go() -> str:
        app = web.Application()
        app.router.add_get("/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            model = OpenAIModel("m", base_url=url, key=KEY)  # of a variable that no pattern knows
            try:
                return str(await model.batch_api().look("b"))
            except ModelError as error:
                return str(error)
            finally:
                await model.aclose()
        finally:
            await runner.cleanup()

    assert not gives_away(asyncio.run(go()))
