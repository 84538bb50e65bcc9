"""What counts as a word when texts are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolver.merge.words import shingles, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("def has_Items(x+1):\n\treturn [ 2.5 ]", ["def", "has", "items", "x", "1", "return", "2", "5"]),
        ("Größe: STRASSE, Straße", ["grösse", "strasse", "strasse"]),
        ("日本語、Python が", ["日", "本", "語", "python", "が"]),
        ("ｆｕｌｌ１２", ["full12"]),
        ("… — 🙂 _", []),
    ],
)
def test_words_are_letters_and_digits_in_folded_case(text: str, wanted: list[str]) -> None:
    assert words(text) == wanted


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_ascii_words_are_the_same_whether_or_not_another_character_stands_beside(text: str) -> None:
    assert words(f"{text} é") == [*words(text), "é"]


@given(st.text())
def test_no_text_is_too_odd_for_words(text: str) -> None:
    assert all(word and not word.isspace() for word in words(text))


def test_shingles_are_every_three_neighbours() -> None:
    assert list(shingles(["a", "b", "c", "d"])) == [("a", "b", "c"), ("b", "c", "d")]
    assert list(shingles(["a", "b"])) == []
