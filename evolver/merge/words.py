"""Texts as words without case, white space and punctuation: what likeness is measured on."""

from __future__ import annotations

import re
from itertools import islice
from unicodedata import normalize

from evolver.text import CJK

SHINGLE_WORDS = 3

Shingle = tuple[str, str, str]

# Every ASCII letter in lower case and every digit as itself; anything else parts words.
_ASCII = bytes(ord(chr(code).lower()) if code < 0x80 and chr(code).isalnum() else 0x20 for code in range(256))
_WORD = re.compile(rf"{CJK.pattern}|[^\W_{CJK.pattern[1:-1]}]+")


def words(text: str) -> list[str]:
    """Return the words of a text, prose and code alike: runs of letters and digits, in folded case.

    ``has_items(x+1)`` has the words has, items, x and 1. Every CJK, kana or hangul character is a word by itself.
    Full-width and other compatible forms count as their plain ones (NFKC).
    """
    if text.isascii():
        return text.encode().translate(_ASCII).decode().split()
    return _WORD.findall(normalize("NFKC", text).casefold())


def shingles(of: list[str]) -> zip[Shingle]:
    """Return every three neighbouring words, from the first on; none where there are fewer than three."""
    return zip(of, islice(of, 1, None), islice(of, 2, None), strict=False)
