"""What counts as a word when texts are compared."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.merge.grams import Grams
from evolver.merge.words import words


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


_SIGNS = st.one_of(
    st.characters(codec="utf-8"),
    st.characters(codec="utf-8", max_codepoint=0x7F),
    st.sampled_from("가각ᄀ\u1161\u11a8ｶﾞｳﾞäa\u0308ßﬁ½①㉠…’。、日"),
)


@given(st.lists(st.text(_SIGNS), max_size=6))
@example(["", "a"])
@example(["가 각", "\u1100\u1161\u11a8", "각"])
@example(["x\0y", "x"])
@example(["a\u0308b", "äb", "a"])
@example(["日本x語", "", "Straße STRASSE"])
def test_the_numbers_of_runs_are_equal_where_their_words_are(texts: list[str]) -> None:
    grams = Grams(texts)
    of_text = [words(text) for text in texts]

    assert grams.words.tolist() == list(map(len, of_text))
    numbers: dict[tuple[str, ...], int] = {}
    for count in (1, 3):
        wanted = [
            (tuple(own[at : at + count]), text)
            for text, own in enumerate(of_text)
            for at in range(len(own) - count + 1)
        ]
        hashes, held_by = grams.runs(count)
        assert held_by.tolist() == [text for _, text in wanted]
        for (run, _), number in zip(wanted, hashes.tolist(), strict=True):
            assert numbers.setdefault(run, number) == number
    assert len(set(numbers.values())) == len(numbers)


def test_the_numbers_of_runs_are_the_same_in_every_process() -> None:
    assert Grams(["Sort a list"]).runs(3)[0].tolist() == [7282516658382462131]
