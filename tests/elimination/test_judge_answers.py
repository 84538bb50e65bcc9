from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.elimination.judge import parse_judgement


@pytest.mark.parametrize(
    "answer",
    [
        "Equal",
        "equal.",
        "EQUAL\nbecause they ask the same",
        "Equal. They do not differ.",
        " \n**Equal**",
        '"Equal"',
        "# Equal",
        "_equal_",
        "Equal, not equal in wording only",
    ],
)
def test_an_answer_that_starts_with_the_word_says_equal(answer: str) -> None:
    assert parse_judgement(answer) == "equal"


@pytest.mark.parametrize(
    "answer",
    [
        "Not Equal",
        "not equal.",
        "NOT  EQUAL",
        "not-equal",
        "NotEqual",
        "not\nequal",
        "**Not Equal**",
        "They are not equal.",
    ],
)
def test_not_equal_is_read_in_any_case_and_spacing(answer: str) -> None:
    """Looking for 'equal' anywhere in the answer takes every one of these for Equal."""
    assert parse_judgement(answer) == "not_equal"


@pytest.mark.parametrize(
    "answer",
    [
        "Unequal",
        "",
        " ",
        "They are equal but not identical",
        "equally hard",
        "Equality",
        "The answer: Equal",
        "knot equal",
        "is equal",
        "not equally",
        "等しい",
    ],
)
def test_any_other_answer_is_undecided(answer: str) -> None:
    assert parse_judgement(answer) == "undecided"


@given(st.text())
@example("equal" * 1000)
def test_any_text_is_read(answer: str) -> None:
    assert parse_judgement(answer) in {"equal", "not_equal", "undecided"}


@given(st.text().filter(lambda text: "equal" not in text.lower()))
def test_an_answer_without_the_word_decides_nothing(answer: str) -> None:
    assert parse_judgement(answer) == "undecided"
