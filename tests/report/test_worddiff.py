"""Word-by-word comparison."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from evolver.report.worddiff import Change, word_changes

TEXTS = st.text(alphabet=st.sampled_from("ab \n\t歌か.é"), max_size=40) | st.text(max_size=40)


@given(TEXTS, TEXTS)
@example("", "")
@example(" a ", "a")
@example("歌を歌う", "歌を歌った\n")
@example("a", " \n")
def test_the_changes_joined_are_both_texts(old: str, new: str) -> None:
    changes = list(word_changes(old, new))

    assert "".join(change.old for change in changes) == old
    assert "".join(change.new for change in changes) == new


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert all(change.op == "equal" for change in word_changes(text, text))


def test_words_are_replaced_inserted_and_deleted_as_wholes() -> None:
    assert list(word_changes("Sort a list of words.", "Sort a long list, of words.")) == [
        Change("equal", "Sort a", "Sort a"),
        Change("replace", " list", " long list,"),
        Change("equal", " of words.", " of words."),
    ]
    assert list(word_changes("a b c", "a c")) == [
        Change("equal", "a", "a"),
        Change("delete", " b", ""),
        Change("equal", " c", " c"),
    ]


def test_where_no_white_space_parts_words_each_sign_is_one() -> None:
    assert [change.op for change in word_changes("歌を歌う。", "歌を聞く。")] == ["equal", "replace", "equal"]


def test_other_white_space_is_no_change_of_words() -> None:
    assert list(word_changes("a\nb", "a  b")) == [Change("equal", "a\nb", "a  b")]
