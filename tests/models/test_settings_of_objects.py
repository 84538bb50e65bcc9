"""What tells two model objects apart for the call cache: everything they are set to, and none of their secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from evolver.models.factory import identify
from evolver.models.protocol import Completion, Request

ONE, OTHER = "sk-1234567890abcdef", "sk-fedcba0987654321"


def chat(**given: Any) -> ChatOpenAI:
    return ChatOpenAI(**({"model": "m", "api_key": ONE, "base_url": "http://one/v1"} | given))


def loud(message: Any) -> AIMessage:
    return AIMessage("!")


def quiet(message: Any) -> AIMessage:
    return AIMessage(".")


before: RunnableLambda[Any, Any] = RunnableLambda(lambda text: text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat(), chat(base_url="http://two/v1")),
        (chat(), chat(model_kwargs={"user": "x"})),
        (chat(), chat(extra_body={"guided": {"regex": "x"}})),
        (chat(), chat(reasoning_effort="low")),
        (chat(), chat(temperature=0)),
        (chat(default_headers={"X-Route": "a"}), chat(default_headers={"X-Route": "b"})),
        (chat().bind(stop=["x"]), chat().bind(stop=["y"])),
        (chat().with_retry(), chat(base_url="http://two/v1").with_retry()),
        (chat().with_fallbacks([chat(model="a")]), chat().with_fallbacks([chat(model="b")])),
        (before | chat(), before | chat(base_url="http://two/v1")),
        (chat() | RunnableLambda(loud), chat() | RunnableLambda(quiet)),
        (RunnableLambda(loud), RunnableLambda(quiet)),
    ],
)
def test_what_a_langchain_object_is_set_to_tells_it_apart(one: object, other: object) -> None:
    assert identify(one) == identify(one)
    assert identify(one).settings != identify(other).settings


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (chat(), chat(api_key=OTHER)),
        (
            chat(default_headers={"Authorization": f"Bearer {ONE}"}),
            chat(default_headers={"Authorization": f"Bearer {OTHER}"}),
        ),
        (chat(model_kwargs={"hf_token": ONE}), chat(model_kwargs={"hf_token": OTHER})),
        (chat(extra_body={"echo": f"as {ONE}"}), chat(api_key=OTHER, extra_body={"echo": f"as {OTHER}"})),
        (chat(base_url="http://one/v1?api_key=a"), chat(base_url="http://one/v1?api_key=b")),
        (chat().bind(api_key=ONE), chat().bind(api_key=OTHER)),
        (chat(timeout=3, max_retries=1), chat(timeout=4, max_retries=2)),
    ],
)
def test_another_key_is_no_other_model(one: object, other: object) -> None:
    assert identify(one) == identify(other)


@dataclass
class Place:
    host: str
    secret: str = ONE


class Own:
    """A model of a user's."""

    style = "plain"

    def __init__(self, url: str = "http://one", **more: Any) -> None:
        self.url = url
        self.calls = 0
        self.asked: list[str] = []
        self.lock = object()
        vars(self).update(more)

    async def complete(self, request: Request) -> Completion:
        self.calls += 1
        self._keep(request.prompt)
        return Completion("x")

    def _keep(self, prompt: str) -> None:
        self.asked.append(prompt)


class Said(Own):
    settings = "temperature=0.2"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Own(), Own("http://two"), False),
        (Own(style="plain"), Own(style="odd"), False),
        (Own(body={"a": [1, {"b": None}]}), Own(body={"a": [1, {"b": True}]}), False),
        (Own(max_tokens=5), Own(max_tokens=6), False),
        (Own(place=Place("a")), Own(place=Place("b")), False),
        (Own(place=Place("a")), Own(place=Place("a", OTHER)), True),
        (Own(), Own(), True),
        (Own(api_key=ONE), Own(api_key=OTHER), True),
        (Own(headers={"x-api-key": ONE}), Own(headers={"x-api-key": OTHER}), True),
        (Own("http://me:one@one"), Own("http://me:two@one"), True),
        (Own(words={"a", "b", "c"}), Own(words={"c", "b", "a"}), True),
        (Own(calls=3, asked=["x"]), Own(), True),
        (Said(), Said("http://two"), True),
    ],
)
def test_the_public_attributes_of_a_users_model_tell_it_apart(one: Own, other: Own, same: bool) -> None:
    assert (identify(one) == identify(other)) is same


def test_a_model_that_says_its_settings_is_taken_at_its_word() -> None:
    assert identify(Said()).settings == "temperature=0.2"


def test_settings_are_equal_in_every_process() -> None:
    program = (
        "from tests.models.test_settings_of_objects import Own, chat\nfrom evolver.models.factory import identify\n"
        "print([identify(m).settings for m in (Own(words={'a', 'b', 'c'}), chat().bind(stop=['x']))])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
