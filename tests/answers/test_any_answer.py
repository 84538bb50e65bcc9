"""Whatever a server sends is a completion or one of our errors; never a traceback."""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from evolver.answers.failures import retry_after
from evolver.answers.finish import read_finish
from evolver.answers.reading import Reader, sound
from evolver.answers.refusals import read_refusal
from evolver.answers.usage import count, read_usage
from evolver.errors import EvolverError
from evolver.models.anthropic import AnthropicModel
from evolver.models.langchain import LangChainModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Completion
from evolver.models.sdk_model import SdkModel

FIELDS = re.findall(
    r"\w+",
    """
    choices message content finish_reason stop_reason usage prompt_tokens completion_tokens input_tokens
    output_tokens reasoning reasoning_content thinking text type error code param detail loc msg innererror
    refusal id status body response custom_id result request_counts completed failed succeeded errored errors
    data created_at details completion_tokens_details reasoning_tokens provider_specific_fields tool_calls
    processing_status ended_at
    """,
)
WORDS = (
    "stop",
    "length",
    "text",
    "thinking",
    "error",
    "ended",
    "completed",
    "400",
    "429",
    "-1",
    "1e999",
    "NaN",
    "",
)
NUMBERS = st.sampled_from(
    [0, -1, 1, 200, 400, 429, 500, 10**20, 10**400, -(10**400), 0.5, 1e308, math.nan, math.inf]
)
LEAVES = st.none() | st.booleans() | NUMBERS | st.sampled_from(WORDS) | st.text(max_size=8)
KEYS = st.sampled_from(FIELDS) | st.text(max_size=4)
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
OBJECTS = st.dictionaries(KEYS, ANY, max_size=6)


def nested(depth: int, field: str | None = None) -> Any:
    made: Any = 1
    for _ in range(depth):
        made = [made] if field is None else {field: made}
    return made


def shaped(inner: Any) -> dict[str, Any]:
    return {
        "choices": [
            {"message": inner if isinstance(inner, dict) else {"content": inner}, "finish_reason": inner}
        ],
        "content": inner,
        "usage": inner,
        "stop_reason": inner,
        "error": inner,
    }


@pytest.fixture(scope="module", params=[OpenAIModel, AnthropicModel])
def model(request: pytest.FixtureRequest) -> Iterator[SdkModel]:
    made = request.param("m", base_url="http://127.0.0.1:9/v1")
    yield made
    asyncio.run(made.aclose())


@given(ANY | OBJECTS)
@example({"prompt_tokens": 10**400, "completion_tokens": -(10**400)})
@settings(max_examples=60, deadline=None)
def test_any_body_is_a_completion_or_one_of_our_errors(model: SdkModel, said: Any) -> None:
    for body in (said if isinstance(said, dict) else {"x": said}, shaped(said)):
        with suppress(EvolverError):
            completion = model.completion(body)
            assert isinstance(completion.text, str)
            assert 0 <= completion.prompt_tokens <= 10**9
            assert 0 <= completion.completion_tokens <= 10**9


@pytest.mark.parametrize("field", [None, "provider_specific_fields", "type", "content", "reasoning"])
def test_what_is_nested_without_end_is_no_traceback(model: SdkModel, field: str | None) -> None:
    deep = nested(900, field)
    for body in ({"x": deep}, shaped(deep), deep if isinstance(deep, dict) else {}):
        with suppress(EvolverError):
            model.completion(body)
    read_refusal(deep, code=deep, param=deep)
    assert isinstance(read_finish(deep), str)
    assert read_usage(deep).prompt == 0


@given(
    ANY | OBJECTS, st.sampled_from([300, 301, 400, 401, 404, 422, 429, 500, 503, 529]), st.text(max_size=30)
)
@example({"error": {"message": "no", "param": ["temperature"], "code": ["unsupported_value"]}}, 400, "")
@example({"error": {"message": ["no"], "param": {"a": 1}, "code": 10**20}}, 400, "")
@settings(max_examples=60, deadline=None)
def test_any_body_of_an_error_is_one_of_our_errors(
    model: SdkModel, said: Any, status: int, header: str
) -> None:
    readable = header.isascii() and header.isprintable()
    response = httpx2.Response(
        status,
        headers={"retry-after": header, "location": header} if readable else {},
        request=httpx2.Request("POST", "http://127.0.0.1:9/v1"),
    )
    error = model.sdk.error(response, json.dumps(said).encode())
    assert isinstance(model.failure(error), EvolverError)
    model._refusal(error).named({"temperature": 1.0})
    model._refusal(error).limit(2048.0)


@given(OBJECTS)
@settings(max_examples=60, deadline=None)
def test_any_line_of_a_batchs_results_is_an_outcome(model: SdkModel, said: dict[str, Any]) -> None:
    batches: Any = model.batch_api()
    for entry in (
        said,
        {"response": said},
        {"response": {"status_code": 400, "body": said}},
        {"error": said},
    ):
        outcome = batches._outcome(entry)
        assert isinstance(outcome, Completion | EvolverError)
    for kind in ("succeeded", "errored", "expired"):
        outcome = batches._outcome({"type": kind, "message": said, "error": said})
        assert isinstance(outcome, Completion | EvolverError)


@given(OBJECTS)
@settings(max_examples=40, deadline=None)
def test_any_state_of_a_batch_is_a_state_that_the_store_can_hold(
    model: SdkModel, said: dict[str, Any]
) -> None:
    batches: Any = model.batch_api()
    with suppress(EvolverError):
        state = batches._state({"id": "b", "request_counts": said, **said})
        assert 0 <= state.succeeded < 2**31
        assert 0 <= state.failed < 2**31


@given(ANY)
@example("Wed, 99 Foo 20260 99:99:99 GMT")
@example("Mon, 01 Jan 99999999999999999999 00:00:00 GMT")
@example("Mon, 01 Jan 2026 00:00:00 +99999999999")
@example("1e400")
@settings(max_examples=60, deadline=None)
def test_nothing_that_a_server_says_of_itself_is_a_traceback(said: Any) -> None:
    wait = retry_after({"retry-after": str(said), "retry-after-ms": str(said)[::-1]})
    assert wait is None or wait >= 0
    assert isinstance(read_finish(said), str)
    assert read_usage(said).prompt >= 0
    assert read_usage({"prompt_tokens": said, "completion_tokens": said}).completion >= 0
    assert 0 <= (count(said) or 0) <= 10**8
    read_refusal(said, code=said, param=said).named({"temperature": 1.0, "max_tokens": 5.0})


@given(st.text(max_size=20) | st.lists(st.text(max_size=5) | OBJECTS, max_size=3), OBJECTS, OBJECTS)
@settings(max_examples=40, deadline=None)
def test_any_message_of_a_langchain_object_is_a_completion_or_one_of_our_errors(
    content: Any, metadata: dict[str, Any], more: dict[str, Any]
) -> None:
    model = object.__new__(LangChainModel)
    model._reader = Reader("x")
    with suppress(EvolverError):
        model._completion(
            AIMessage(content=content, response_metadata=metadata, additional_kwargs={"x": more})
        )


@pytest.mark.parametrize("odd", [10**20, 10**400, -1, 1.5, math.nan, math.inf, "12", "x", None, [], True])
def test_a_count_of_ones_own_model_is_a_count_or_is_not_known(odd: Any) -> None:
    made = sound(replace(Completion("a"), prompt_tokens=odd, completion_tokens=odd, reasoning_tokens=odd))
    for tokens in (made.prompt_tokens, made.completion_tokens, made.reasoning_tokens):
        assert type(tokens) is int
        assert 0 <= tokens <= 10**8
    assert made.usage_known is (count(odd) is not None)


@pytest.mark.parametrize("odd", [{"type": "max_tokens"}, ["stop"], 7, None])
def test_a_reason_of_ones_own_model_is_read_like_any_other(odd: Any) -> None:
    made = sound(replace(Completion("a"), finish_reason=odd, refusal=odd, reasoning=odd))
    assert isinstance(made.finish_reason, str)
    assert isinstance(made.refusal, str | None)
    assert isinstance(made.reasoning, str | None)
    assert sound(made) is made


def test_a_sound_completion_is_left_as_it_is() -> None:
    made = Completion("a", "stop", 3, 4)
    assert sound(made) is made
