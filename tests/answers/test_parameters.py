"""What is learnt from a refused parameter, in whatever shape the refusal comes."""

from __future__ import annotations

from typing import Any

import pytest

from evolver.answers.parameters import Parameters
from evolver.answers.refusals import read_refusal
from evolver.models.protocol import Sampling

ALL = Sampling(frequency_penalty=0.5)
WHOLE = {"temperature", "top_p", "frequency_penalty", "max_tokens"}


def after(*bodies: Any, sampling: Sampling = ALL) -> dict[str, float | str]:
    """Return what is sent once each of ``bodies`` was answered to what was sent before."""
    parameters = Parameters("m", renames=True)
    for body in bodies:
        assert parameters.learn(read_refusal(body), sampling, parameters.of(sampling)), body
    return parameters.of(sampling)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "no", "param": "frequency_penalty", "code": "unsupported_parameter"},
        {"message": "Unsupported parameter: 'frequency_penalty'", "param": None, "code": None},
        {"error": {"message": "Unknown field: frequency_penalty"}},
        [
            {
                "error": {
                    "code": 400,
                    "message": "field frequency_penalty is not known",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        [
            {
                "error": {
                    "details": [{"fieldViolations": [{"field": "frequency_penalty", "description": "no"}]}]
                }
            }
        ],
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "frequency_penalty"], "msg": "no such field"}
            ]
        },
        {
            "message": {
                "detail": [{"type": "extra_forbidden", "loc": ["body", "frequency_penalty"], "msg": "no"}]
            }
        },
        {"message": 'Invalid JSON payload. Unknown name "frequencyPenalty": Cannot find field.'},
        {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'frequency_penalty'), 'msg': 'no'}]"},
        "create() got an unexpected keyword argument 'frequency_penalty'",
        {"error": "frequency penalty is not supported by this model"},
        {"errors": [{"reason": "extra inputs are not permitted: frequency_penalty"}]},
    ],
)
def test_a_refused_parameter_is_left_out_whatever_the_shape_of_the_refusal(body: Any) -> None:
    assert after(body).keys() == WHOLE - {"frequency_penalty"}


def test_all_that_a_list_of_errors_names_is_left_out_at_once() -> None:
    body = {
        "detail": [
            {"loc": ["body", "top_p"], "msg": "no"},
            {"loc": ["body", "frequency_penalty"], "msg": "no"},
        ]
    }
    assert after(body).keys() == {"temperature", "max_tokens"}


@pytest.mark.parametrize(
    "words",
    [
        "give temperature or top_p, not both",
        "`temperature` and `top_p` cannot both be specified for this model.",
        "Only one of topP and temperature may be set",
    ],
)
def test_of_two_that_exclude_each_other_the_second_is_left_out_beside_the_first(words: str) -> None:
    parameters = Parameters("m")
    parameters.learn(read_refusal({"message": words}), Sampling(), parameters.of(Sampling()))
    assert parameters.of(Sampling()).keys() == {"temperature", "max_tokens"}
    assert parameters.of(Sampling(temperature=None)).keys() == {"top_p", "max_tokens"}


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("max_tokens is too large: 100000. This model supports at most 16384 completion tokens.", 16384),
        ("max_tokens: 100000 > 64000, which is the maximum allowed for claude-3-5-sonnet-20241022", 64000),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("max_tokens must be at most 4,096", 4096),
        ("maxOutputTokens: the supported range is from 1 (inclusive) to 65537 (exclusive).", 65536),
        ("`max_tokens` must be less than or equal to `8192`", 8192),
    ],
)
def test_a_limit_that_is_exceeded_is_kept_from_then_on(words: str, limit: int) -> None:
    sent = after({"message": words}, sampling=Sampling(max_tokens=100_000))
    assert sent["max_tokens"] == limit


def test_a_smaller_limit_of_tokens_is_sent_as_it_is_after_a_larger_one_was_refused() -> None:
    parameters, large = Parameters("m"), Sampling(max_tokens=100_000)
    parameters.learn(
        read_refusal({"message": "max_tokens must be at most 4096"}), large, parameters.of(large)
    )
    assert parameters.of(Sampling(max_tokens=512))["max_tokens"] == 512


def test_the_limit_of_tokens_goes_by_its_newer_name_where_the_server_says_so() -> None:
    body = {
        "message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        "param": "max_tokens",
    }
    sent = after(body)
    assert sent["max_completion_tokens"] == 2048
    assert "max_tokens" not in sent


def test_a_refused_value_is_left_out_and_another_value_is_sent() -> None:
    parameters, judge = Parameters("m"), Sampling(temperature=0.0, top_p=None)
    refusal = read_refusal({"message": "`temperature` must be strictly positive"})
    parameters.learn(refusal, judge, parameters.of(judge))
    assert "temperature" not in parameters.of(judge)
    assert parameters.of(ALL)["temperature"] == 1.0


def test_a_frequency_penalty_of_nothing_is_not_sent() -> None:
    assert "frequency_penalty" not in Parameters("m").of(Sampling())
    assert Parameters("m").of(ALL)["frequency_penalty"] == 0.5


@pytest.mark.parametrize(
    "body",
    [
        {"message": "The prompt about temperature is not wanted.", "param": "messages"},
        {"message": "no", "param": "top_k", "code": "unsupported_parameter"},
        {"detail": [{"loc": ["body", "messages"], "msg": "no", "input": {"temperature": 1.0}}]},
        {
            "message": "The request cannot be understood.",
            "input": {"text": "Say why top_p is not supported."},
        },
        {"message": "The request cannot be understood."},
        "",
        None,
        {
            "message": "'max_tokens' is too large: 2048. This model's maximum context length is 2048 tokens and your "
            "request has 300 input tokens (2048 > 2048 - 300)."
        },
    ],
)
def test_a_refusal_that_is_about_something_else_teaches_nothing(body: Any) -> None:
    parameters = Parameters("m", renames=True)
    assert parameters.learn(read_refusal(body), ALL, parameters.of(ALL)) is None
    assert parameters.of(ALL).keys() == WHOLE


def test_a_lesson_that_another_call_has_learnt_meanwhile_is_followed_and_told_once() -> None:
    told: list[str] = []
    parameters = Parameters("m", told.append)
    sent, refusal = parameters.of(ALL), read_refusal({"message": "unknown field top_p"})
    first = parameters.learn(refusal, ALL, sent)
    assert first
    assert parameters.learn(refusal, ALL, sent) == []
    parameters.confirm(first)
    parameters.confirm(first)
    assert told == ["m does not accept the top_p asked for, which is left out from now on."]


def test_what_did_not_help_is_forgotten() -> None:
    parameters = Parameters("m")
    lessons = parameters.learn(read_refusal("the temperature in Rome"), ALL, parameters.of(ALL))
    assert lessons
    parameters.forget(lessons)
    assert parameters.of(ALL).keys() == WHOLE
