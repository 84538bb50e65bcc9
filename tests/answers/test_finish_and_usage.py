"""Why an answer ended and what it cost, in every wording that is in use."""

from __future__ import annotations

from enum import Enum

import pytest

from evolver.answers.finish import read_finish
from evolver.answers.messages import Said
from evolver.answers.reading import Reader, apart
from evolver.answers.usage import UNKNOWN, Usage, read_usage
from evolver.errors import RowModelError, TransientModelError
from evolver.models.protocol import Completion


class FinishReason(Enum):
    SAFETY = 3


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        (None, "stop"),
        ("", "stop"),
        ("STOP", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("COMPLETE", "stop"),
        ({"type": "stop", "matched": 2}, "stop"),
        ({}, "stop"),
        ("FINISH_REASON_UNSPECIFIED", "stop"),
        ("length", "length"),
        ("MAX_TOKENS", "length"),
        ("maxTokens", "length"),
        ("max_output_tokens", "length"),
        ("model_length", "length"),
        ("Length_Limit", "length"),
        ("length: 2048", "length"),
        ("FinishReason.MAX_TOKENS", "length"),
        ({"type": "length", "length": 3}, "length"),
        ("content_filter", "content_filter"),
        ("content_filter: violence", "content_filter"),
        ("Content Filter (hate)", "content_filter"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("SPII", "content_filter"),
        ("sensitive", "content_filter"),
        (FinishReason.SAFETY, "content_filter"),
        ("refusal", "refusal"),
        ("tool_use", "tool_calls"),
        ("function_call", "tool_calls"),
        ("abort", "broken_off"),
        ("ABORTED", "broken_off"),
        ({"type": "abort", "message": "stopped"}, "broken_off"),
        ("insufficient_system_resource", "broken_off"),
        ("load", "broken_off"),
        ("error", "broken_off"),
        ("cancelled", "broken_off"),
        ("server_error", "broken_off"),
        ("Rainy_Day", "Rainy_Day"),
        ({"type": "rainy"}, "rainy"),
        (7, "7"),
    ],
)
def test_every_name_of_an_end_has_one_meaning_and_unknown_ones_stay_as_they_are(
    reason: object, meaning: str
) -> None:
    assert read_finish(reason) == meaning


@pytest.mark.parametrize(
    "half", ["abort", "error", "load", "insufficient_system_resource", {"type": "abort"}]
)
def test_half_an_answer_is_asked_for_again_and_its_tokens_are_known(half: object) -> None:
    with pytest.raises(TransientModelError) as caught:
        Reader("m").completion(Said("First, the"), half, {"prompt_tokens": 5, "completion_tokens": 2})
    assert (caught.value.kind, caught.value.prompt_tokens, caught.value.completion_tokens) == (
        "server_error",
        5,
        2,
    )


def test_what_a_filter_withholds_fails_the_row_and_its_tokens_are_known() -> None:
    with pytest.raises(RowModelError) as caught:
        Reader("m").completion(Said("First, the"), "SAFETY", {"prompt_tokens": 5, "completion_tokens": 2})
    assert (caught.value.kind, caught.value.prompt_tokens, caught.value.completion_tokens) == (
        "content_filter",
        5,
        2,
    )


def test_a_tool_called_in_place_of_an_answer_fails_the_row() -> None:
    with pytest.raises(RowModelError) as caught:
        Reader("m").completion(Said(""), "tool_calls", None)
    assert caught.value.kind == "tool_calls"
    assert Reader("m").completion(Said("Four."), "tool_calls", None).text == "Four."


def test_an_unknown_end_is_told_once_and_recorded() -> None:
    told: list[str] = []
    reader = Reader("m", told.append)
    found = [
        reader.completion(Said("Four."), reason, None).finish_reason for reason in ("rainy", "rainy", "windy")
    ]
    assert found == ["rainy", "rainy", "windy"]
    assert len(told) == 2
    assert "'rainy'" in told[0]


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens": 50, "completion_tokens": 20}, Usage(50, 20)),
        ({"prompt_tokens": 50.0, "completion_tokens": 20.0}, Usage(50, 20)),
        ({"prompt_tokens": "50", "completion_tokens": "20"}, Usage(50, 20)),
        ({"prompt_tokens": "1,050", "completion_tokens": 20}, Usage(1050, 20)),
        ({"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 2}, Usage(5, 4)),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 6},
            },
            Usage(5, 9, 6),
        ),
        ({"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": None}, Usage(5, 9)),
        ({"input_tokens": 5, "output_tokens": 9, "output_token_details": {"reasoning": 6}}, Usage(5, 9, 6)),
        ({"prompt_tokens": 5, "completion_tokens": 3, "reasoning_tokens": 6}, Usage(5, 6, 6)),
        ({"prompt_tokens": 50, "completion_tokens": 0}, Usage(50, 0)),
        ({"prompt_tokens": 50}, Usage(50, 0, known=False)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(known=False)),
        ({"prompt_tokens": 50, "completion_tokens": 10**12}, Usage(50, known=False)),
        ({"prompt_tokens": None, "completion_tokens": None}, UNKNOWN),
        ({"prompt_tokens": -1, "completion_tokens": "many"}, UNKNOWN),
        ({"prompt_tokens": float("nan"), "completion_tokens": True}, UNKNOWN),
        (None, UNKNOWN),
        ({}, UNKNOWN),
        ([50, 20], UNKNOWN),
    ],
)
def test_usage_is_read_in_every_form_and_what_is_no_count_is_unknown(usage: object, read: Usage) -> None:
    assert read_usage(usage) == read


def test_the_reasoning_of_a_model_of_ones_own_is_split_off_too() -> None:
    assert apart(Completion("<think>hm</think>Four.")) == Completion(
        "Four.", reasoning="hm", reasoning_in="text"
    )
    assert apart(Completion("<think>hm")) == Completion("", "length", reasoning="hm", reasoning_in="text")
    whole = Completion("Four.")
    assert apart(whole) is whole
