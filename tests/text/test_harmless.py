"""What a terminal would obey is shown instead."""

from __future__ import annotations

import pytest

from evolver.text import harmless, one_line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x9b31m", "�31m"),
        ("\x7f", "␡"),
        ("a\u202eb\u2066c", "a�b�c"),
        ("\ud800", "�"),
        ("over\rwritten", "over␍written"),
        ("a\tb\r\nc\n", "a\tb\nc\n"),
        ("歌 é שלום 🙂", "歌 é שלום 🙂"),
    ],
)
def test_a_sign_that_a_terminal_obeys_is_shown_and_no_other_changes(hostile: str, shown: str) -> None:
    assert harmless(hostile) == shown


def test_one_line_is_one_line() -> None:
    assert one_line(" a\n\n b\x0b\u2028c\x1b ") == "a b c␛"
