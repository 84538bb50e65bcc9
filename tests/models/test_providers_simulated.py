"""Each SDK, unpatched, against the simulated provider in another process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.llmsim.process import SimServer
from evolver.errors import ModelError, RunModelError, TransientModelError
from evolver.models.anthropic import AnthropicModel
from evolver.models.langchain import LangChainModel
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Model, Request, Sampling

KEY = "sk-simulated"


@pytest.fixture(scope="module")
def server() -> Iterator[SimServer]:
    with SimServer(require_key=KEY) as running:
        yield running


@pytest.fixture(params=["openai", "anthropic", "langchain"])
def provider(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return str(request.param)


def model_of(provider: str, server: SimServer) -> OpenAIModel | AnthropicModel | LangChainModel:
    if provider == "openai":
        return OpenAIModel("sim", base_url=server.openai_base_url, timeout=30)
    if provider == "anthropic":
        return AnthropicModel("sim", base_url=server.anthropic_base_url, timeout=30)
    return LangChainModel("openai:sim", base_url=server.openai_base_url, timeout=30)


def question(number: int) -> Request:
    return Request("evolve", f"Question {number}: what is {number} + 1?", Sampling(), f"{number}.0")


async def insist(model: Model, number: int, met: Counter[str]) -> str:
    for _ in range(30):
        try:
            return (await model.complete(question(number))).text
        except TransientModelError as error:
            met[error.kind] += 1
    raise AssertionError(f"question {number} was never answered: {met}")


def test_every_question_is_answered_through_errors_drops_and_broken_bodies(
    provider: str, server: SimServer
) -> None:
    server.configure(rate_429=0.1, rate_500=0.1, rate_529=0.1, rate_drop=0.1, rate_malformed=0.1)
    met: Counter[str] = Counter()

    async def go() -> list[str]:
        model = model_of(provider, server)
        try:
            return await asyncio.gather(*(insist(model, number, met) for number in range(120)))
        finally:
            await model.aclose()

    try:
        answers = asyncio.run(go())
    finally:
        server.configure(rate_429=0.0, rate_500=0.0, rate_529=0.0, rate_drop=0.0, rate_malformed=0.0)
    assert all(answers)
    assert set(met) >= {"rate_limited", "server_error", "overloaded", "connection"}


def test_a_wrong_key_stops_the_run_and_is_not_repeated(
    provider: str, server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-wrong")

    async def go() -> None:
        model = model_of(provider, server)
        try:
            await model.complete(question(1))
        finally:
            await model.aclose()

    with pytest.raises(ModelError) as caught:
        asyncio.run(go())
    assert isinstance(caught.value, RunModelError)
    assert "sk-wrong" not in str(caught.value)
