"""What a rewrite changed, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from evolver.text import CJK

# A word with the white space before it; white space at the end of a text stands alone. Where no white space
# parts words (Han, kana, hangul) each character is one.
_TOKEN = re.compile(rf"\s*(?:{CJK.pattern}|(?:(?!{CJK.pattern})\S)+)|\s+\Z")


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of both texts; all ``old`` joined are the parent, all ``new`` the child, byte for byte."""

    op: Literal["equal", "delete", "insert", "replace"]
    old: str
    new: str


def word_changes(old: str, new: str) -> Iterator[Change]:
    """Compare two texts word by word.

    Words are compared, the white space before them is not: stretches that differ in white space alone are equal.
    """
    olds, news = _TOKEN.findall(old), _TOKEN.findall(new)
    matcher = SequenceMatcher(None, [t.strip() for t in olds], [t.strip() for t in news], autojunk=False)
    for op, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        yield Change(op, "".join(olds[old_from:old_to]), "".join(news[new_from:new_to]))
