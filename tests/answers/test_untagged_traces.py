"""A server whose template opens the trace sends a closing tag alone, and none where the limit cut the thought."""

from __future__ import annotations

from evolver.answers.messages import Said
from evolver.answers.reading import Reader

THOUGHT = "First I look at what is asked, and at what may be meant by it. Then"


def test_once_a_closing_tag_stood_alone_a_cut_text_without_one_is_thought() -> None:
    reader = Reader("m")
    reader.completion(Said(f"{THOUGHT} I say it.\n</think>\n\nFour."), "stop", None)

    cut = reader.completion(Said(THOUGHT), "length", None)

    assert (cut.text, cut.reasoning, cut.finish_reason) == ("", THOUGHT, "length")


def test_a_cut_text_of_a_model_that_never_thought_or_opens_its_traces_is_text() -> None:
    assert Reader("m").completion(Said(THOUGHT), "length", None).text == THOUGHT
    reader = Reader("m")
    reader.completion(Said(f"<think>{THOUGHT}</think>Four."), "stop", None)
    assert reader.completion(Said(THOUGHT), "length", None).text == THOUGHT


def test_a_whole_text_without_a_trace_stays_a_text() -> None:
    reader = Reader("m")
    reader.completion(Said(f"{THOUGHT} I say it.\n</think>\n\nFour."), "stop", None)
    assert reader.completion(Said("Four."), "stop", None).text == "Four."
