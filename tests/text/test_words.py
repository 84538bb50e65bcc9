from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.text import count_words, fold
from evolver_store.storable import storable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("one", 1),
        ("one  two\nthree\tfour", 4),
        ("\n".join(["word"] * 80), 80),
        ("well-known - it's", 3),
        ("naïve café “quoted”", 3),
        ("申し訳ありません", 8),
        ("申し訳。", 3),
        ("「東京」へ", 3),
        ("コーヒー", 4),
        ("ｶﾞ", 1),
        ("か\u3099", 1),
        ("한국어 단어", 5),
        ("\u1112\u1161\u11ab", 1),
        ("Python が好き", 4),
        ("Pythonが好き!", 4),
        ("𠮷野", 2),
        ("🙂 🙂", 2),
    ],
)
def test_words_are_runs_of_signs_and_every_cjk_character(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.text())
def test_a_text_without_cjk_has_as_many_words_as_it_splits_into(text: str) -> None:
    kept = "".join(sign for sign in text if ord(sign) < 0x1100)
    assert count_words(kept) == len(kept.split())


@given(st.integers(0, 200))
def test_every_han_character_adds_one(count: int) -> None:
    assert count_words("sorry " + "あ" * count) == 1 + count


@given(st.text())
def test_counting_takes_any_text(text: str) -> None:
    assert 0 <= count_words(text) <= len(text)


@given(st.text())
@example("Straße")
@example("ΌΣΟΣ")
def test_folding_forgets_case_and_white_space(text: str) -> None:
    assert fold(f" \n{text.upper()}\t ") == fold(text.upper().casefold())
    assert fold(fold(text)) == fold(text)


def test_folding_keeps_the_borders_of_words_and_the_signs() -> None:
    assert fold("A  B\r\nc!") == "a b c!"
    assert fold("ab") != fold("a b")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "é\udfff"])
def test_a_nul_or_a_lone_surrogate_cannot_be_stored(text: str) -> None:
    assert not storable(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
@example("𠮷 \ufeff\uffff")
def test_every_other_text_can_be_stored(text: str) -> None:
    assert storable(text)
