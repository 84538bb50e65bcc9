"""The simulated provider's dialects: what each server sends where another one sends something else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from benchmarks.llmsim.config import Config, ConfigError
from benchmarks.llmsim.dialects import DIALECTS
from benchmarks.llmsim.process import SimServer

ASKED = {"model": "sim", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture(scope="module")
def sim() -> Iterator[SimServer]:
    with SimServer(dialect="plain") as running:
        yield running


def ask(sim: SimServer, **parameters: object) -> tuple[int, Any]:
    body = json.dumps({**ASKED, **parameters}).encode()
    request = Request(f"{sim.openai_base_url}/chat/completions", body, {"connection": "close"})
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_a_dialect_adds_changes_no_answer(sim: SimServer, dialect: str) -> None:
    sim.configure(dialect="plain")
    _, plain = ask(sim)
    text = plain["choices"][0]["message"]["content"]
    sim.configure(dialect=dialect)
    status, answer = ask(sim)
    assert status == 200
    assert json.dumps(text)[1:-1] in json.dumps(answer["choices"][0])


@pytest.mark.parametrize(
    ("dialect", "parameter", "status", "words"),
    [
        ("gemini", "frequency_penalty", 400, "frequencyPenalty"),
        ("mistral", "top_p", 422, '"loc": ["body", "top_p"]'),
        ("groq", "top_p", 400, "property 'top_p' is unsupported"),
        ("azure", "max_tokens", 400, '"param": "max_tokens"'),
    ],
)
def test_a_refused_parameter_is_said_in_the_dialects_shape(
    sim: SimServer, dialect: str, parameter: str, status: int, words: str
) -> None:
    sim.configure(dialect=dialect)
    told, error = ask(sim, **{parameter: 1})
    assert told == status
    assert words in json.dumps(error)
    assert isinstance(error, list) == (dialect == "gemini")


def test_two_parameters_may_exclude_each_other_and_a_limit_may_be_too_large(sim: SimServer) -> None:
    sim.configure(dialect="claude-gateway")
    assert ask(sim, temperature=1, top_p=1)[0] == 400
    assert ask(sim, temperature=1)[0] == 200
    sim.configure(dialect="deepseek")
    assert ask(sim, max_tokens=8193)[0] == 400
    assert ask(sim, max_tokens=8192)[0] == 200


def test_an_answer_cut_while_it_is_thought_over_comes_whole_under_a_larger_limit(sim: SimServer) -> None:
    sim.configure(dialect="lmstudio", rate_think_cut=1.0)
    try:
        _, cut = ask(sim, max_tokens=2048)
        _, whole = ask(sim, max_tokens=8 * 2048)
    finally:
        sim.configure(rate_think_cut=0.0)
    assert cut["choices"][0]["finish_reason"] == "length"
    assert "</think>" not in cut["choices"][0]["message"]["content"]
    assert cut["usage"]["completion_tokens"] == 2048.0
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"]["completion_tokens"] > 2048.0


def test_credit_runs_out_after_so_many_answers_in_the_words_that_were_set(sim: SimServer) -> None:
    sim.reset()
    sim.configure(dialect="plain", credit_after=2, credit_status=400, credit_words="the till is empty")
    try:
        found = [ask(sim)[0] for _ in range(3)]
        _, error = ask(sim)
    finally:
        sim.configure(credit_after=-1)
    assert found == [200, 200, 400]
    assert error["error"]["message"] == "the till is empty"


def test_an_unknown_dialect_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="vllm-think"):
        Config(dialect="klingon")
    with pytest.raises(ConfigError, match="needs a dialect"):
        Config(rate_think_cut=0.3)
