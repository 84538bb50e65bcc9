from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiohttp import web
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelConnectionError,
    ModelNotFoundError,
    ModelTimeoutError,
)
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableLambda

from evolver.errors import ModelError, RowModelError, RunModelError, SettingsError, TransientModelError
from evolver.models.langchain import LangChainModel
from evolver.models.protocol import Completion, Request, Sampling

Serve = Callable[[Callable[[dict[str, Any]], Any]], AbstractAsyncContextManager[Any]]
ASK = Request("evolve", "What is 2 + 2?", Sampling(), "1.0")
KEY = "sk-very-secret"


class Scripted(BaseChatModel):
    """A chat model without async of its own that does what the test says."""

    model: str = "scripted"
    temperature: float | None = None
    num_predict: int | None = None
    do: Callable[..., AIMessage]

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.do(self, messages))])


def complete(model: LangChainModel, request: Request = ASK) -> Completion:
    async def go() -> Completion:
        try:
            return await model.complete(request)
        finally:
            await model.aclose()

    return asyncio.run(go())


def answering(*content: Any, **more: Any) -> LangChainModel:
    return LangChainModel(Scripted(do=lambda self, messages: AIMessage(*content, **more)))


def raising(error: Exception) -> ModelError:
    def fail(self: Scripted, messages: list[BaseMessage]) -> AIMessage:
        raise error

    with pytest.raises(ModelError) as caught:
        complete(LangChainModel(Scripted(do=fail)))
    assert type(caught.value.__cause__) is type(error)
    return caught.value


def test_langchains_own_fake_model_answers() -> None:
    model = LangChainModel(GenericFakeChatModel(messages=iter([AIMessage("Four.")])))
    assert complete(model) == Completion("Four.", usage_known=False)


def test_an_answer_carries_text_finish_and_both_token_counts() -> None:
    model = answering(
        [{"type": "text", "text": "Fo"}, {"type": "text", "text": "ur."}],
        response_metadata={"stop_reason": "end_turn"},
        usage_metadata={"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
    )
    assert complete(model) == Completion("Four.", "stop", 7, 2)


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"finish_reason": "STOP"}, "stop"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"stopReason": "max_tokens"}, "length"),
        ({"done_reason": "length"}, "length"),
        ({"finish_reason": "eos"}, "stop"),
        ({}, "stop"),
        ({"finish_reason": "tool_calls"}, "tool_calls"),
    ],
)
def test_every_providers_word_for_the_end_is_made_one(metadata: dict[str, str], finish: str) -> None:
    assert complete(answering("x", response_metadata=metadata)).finish_reason == finish


def test_refusals_are_kept_apart_and_filters_fail_the_row() -> None:
    marked = answering("", additional_kwargs={"refusal": "I cannot."})
    assert complete(marked) == Completion("", "refusal", refusal="I cannot.", usage_known=False)
    stopped = answering("I would rather not.", response_metadata={"stop_reason": "refusal"})
    assert complete(stopped) == Completion("", "refusal", refusal="I would rather not.", usage_known=False)
    with pytest.raises(RowModelError) as caught:
        complete(answering("x", response_metadata={"finish_reason": "SAFETY"}))
    assert caught.value.kind == "content_filter"


def test_the_system_text_goes_before_the_prompt() -> None:
    def do(self: Scripted, messages: list[BaseMessage]) -> AIMessage:
        return AIMessage("|".join(f"{each.type}:{each.text}" for each in messages))

    request = Request("evolve", "Hi", Sampling(), "1.0", system="Be brief.")
    assert complete(LangChainModel(Scripted(do=do)), request).text == "system:Be brief.|human:Hi"


def test_sampling_is_set_where_the_class_has_a_field_and_what_the_user_set_stays() -> None:
    def do(self: Scripted, messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"{self.temperature} {self.num_predict}")

    request = Request("judge", "Hi", Sampling(0.0, max_tokens=9), "1.0")
    chat, warm = Scripted(do=do), Scripted(do=do, temperature=0.7)
    assert complete(LangChainModel(chat), request).text == "0.0 9"
    assert complete(LangChainModel(warm), request).text == "0.7 9"
    assert chat.temperature is None  # the user's object is left alone


def test_a_model_without_async_answers_forty_calls_at_a_time() -> None:
    together = threading.Barrier(40)

    def do(self: Scripted, messages: list[BaseMessage]) -> AIMessage:
        together.wait(timeout=60)
        return AIMessage("x")

    async def go() -> int:
        model = LangChainModel(Scripted(do=do))
        answers = await asyncio.gather(*(model.complete(ASK) for _ in range(40)))
        await model.aclose()
        return len(answers)

    assert asyncio.run(go()) == 40


def test_any_runnable_that_answers_messages_is_a_model() -> None:
    model = LangChainModel(RunnableLambda(lambda messages: AIMessage(messages[-1].text.upper())))
    assert complete(model).text == "WHAT IS 2 + 2?"
    assert complete(LangChainModel(RunnableLambda(lambda messages: "plain"))).text == "plain"


def test_name_and_settings_tell_objects_apart_and_hold_no_text_of_the_users() -> None:
    model = LangChainModel(Scripted(do=lambda *_: AIMessage("x"), model="m1", temperature=0.25, name=KEY))
    assert (model.name, model.provider) == ("Scripted:m1", "Scripted")
    assert len(model.settings) == 16
    assert KEY not in model.settings


class StatusError(Exception):
    def __init__(self, status: Any, code: Any = None, response: Any = None) -> None:
        super().__init__("no")
        if status is not None:
            self.status_code = status
        self.code = code
        self.response = response


class AwsError(Exception):
    def __init__(self, code: str, status: int) -> None:
        super().__init__("no")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StatusError(429), "rate_limited"),
        (StatusError(None, 503), "overloaded"),
        (AwsError("ThrottlingException", 400), "rate_limited"),
        (AwsError("ServiceUnavailableException", 503), "overloaded"),
        (ModelTimeoutError("slow"), "timeout"),
        (ModelConnectionError("gone"), "connection"),
        (TimeoutError("slow"), "timeout"),
        (ConnectionResetError("gone"), "connection"),
        (RuntimeError("who knows"), "unknown"),
        (ValueError("who knows"), "unknown"),
    ],
)
def test_passing_failures_and_failures_nobody_knows_are_tried_again(error: Exception, kind: str) -> None:
    stated = raising(error)
    assert isinstance(stated, TransientModelError)
    assert stated.kind == kind


@pytest.mark.parametrize(
    "error",
    [
        StatusError(401),
        StatusError(429, "insufficient_quota"),
        AwsError("AccessDeniedException", 403),
        ModelNotFoundError("which?"),
        TypeError("a mistake in the model"),
    ],
)
def test_failures_that_every_call_would_meet_stop_the_run(error: Exception) -> None:
    assert isinstance(raising(error), RunModelError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StatusError(400), "bad_request"),
        (StatusError(400, "content_filter"), "content_filter"),
        (ContextOverflowError("too long"), "too_long"),
    ],
)
def test_failures_of_one_request_fail_its_row(error: Exception, kind: str) -> None:
    stated = raising(error)
    assert isinstance(stated, RowModelError)
    assert stated.kind == kind


def test_the_status_is_found_behind_the_exception_a_provider_wraps_it_in() -> None:
    outer = RuntimeError("wrapped")
    outer.__cause__ = StatusError(401)
    assert isinstance(raising(outer), RunModelError)


def chat_body(text: str) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length"}
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


async def ask_by_name(
    serve: Serve, reply: Callable[[dict[str, Any]], web.Response], calls: int = 1
) -> tuple[Completion, Any, list[str]]:
    notices: list[str] = []
    async with serve(reply) as provider:
        model = LangChainModel("openai:small", base_url=provider.url + "/v1", on_notice=notices.append)
        try:
            for _ in range(calls):
                answer = await model.complete(ASK)
        finally:
            await model.aclose()
        return answer, provider, notices


def test_a_provider_by_name_is_asked_with_the_runs_sampling(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    answer, provider, _ = asyncio.run(ask_by_name(serve, lambda asked: web.json_response(chat_body("Four."))))
    assert answer == Completion("Four.", "length", 11, 3)
    (asked,) = provider.asked
    assert (asked["temperature"], asked["top_p"], asked.get("frequency_penalty")) == (1.0, 0.9, None)
    assert asked.get("max_tokens", asked.get("max_completion_tokens")) == 2048


def test_a_provider_by_name_is_asked_once_and_its_failure_hides_the_key(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    asked_times = 0

    def reply(asked: dict[str, Any]) -> web.Response:
        nonlocal asked_times
        asked_times += 1
        error = {"message": f"slow down, {KEY}", "code": "rate_limit_exceeded"}
        return web.json_response({"error": error}, status=429, headers={"Retry-After": "3"})

    with pytest.raises(TransientModelError) as caught:
        asyncio.run(ask_by_name(serve, reply))
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 3.0)
    assert KEY not in str(caught.value)
    assert asked_times == 1


def test_a_parameter_refused_by_name_is_left_out_and_told_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def reply(asked: dict[str, Any]) -> web.Response:
        if "temperature" in asked:
            error = {"message": "no", "code": "unsupported_value", "param": "temperature"}
            return web.json_response({"error": error}, status=400)
        return web.json_response(chat_body("Four."))

    answer, provider, notices = asyncio.run(ask_by_name(serve, reply, calls=2))
    assert answer.text == "Four."
    assert len(provider.asked) == 3
    assert notices == [
        "openai:small does not accept the temperature asked for, which is left out from now on."
    ]


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(SettingsError, match=r"nothing was sent\. Run `pip install langchain-groq`"):
        LangChainModel("groq:llama")


def test_a_missing_key_is_a_sentence_about_the_setup() -> None:
    with pytest.raises(SettingsError, match="cannot be set up"):
        LangChainModel("openai:small")
