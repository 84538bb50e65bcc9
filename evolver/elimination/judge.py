"""Reading the equality judge's answer."""

from __future__ import annotations

import re
from typing import Final, Literal

Judgement = Literal["equal", "not_equal", "undecided"]

_DRESS: Final = " \t\r\n\v\f\u00a0\ufeff\"'`“”‘’«»「」『』*_#"
_EQUAL: Final = re.compile(r"equal(?![^\W_])", re.IGNORECASE)
_NOT_EQUAL: Final = re.compile(r"(?<![^\W_])not[\s_-]*equal(?![^\W_])", re.IGNORECASE)


def parse_judgement(text: str) -> Judgement:
    """Read the judge's answer to whether two instructions are equal.

    ``equal`` only for an answer that starts with the word, after white space, quotes and the signs of Markdown
    (``**Equal**``); ``not_equal`` for "not equal" in any case and spacing, wherever it stands in any other
    answer; else ``undecided`` ("Unequal", "", "They are equal but not identical").
    """
    if _EQUAL.match(text.lstrip(_DRESS)):
        return "equal"
    return "not_equal" if _NOT_EQUAL.search(text) else "undecided"
