"""Texts as words without case, white space and punctuation: what likeness is measured on."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

from evolver.text import CJK

# Every ASCII letter in lower case and every digit as itself, any other ASCII character parts words. What lies above
# ASCII is part of a longer UTF-8 sequence, and has been made words of before.
_ASCII = bytes(
    code if code >= 0x80 else ord(chr(code).lower()) if chr(code).isalnum() else 0x20 for code in range(256)
)
_WORD = re.compile(rf"{CJK.pattern}|[^\W_{CJK.pattern[1:-1]}]+")

_REMEMBERED = 20_000
_MEMORABLE = 64  # characters; what is longer hardly comes again


def spaced(text: str) -> bytes:
    """Return the words of a text, prose and code alike, in UTF-8 with one blank before, between and after them.

    Words are runs of letters and digits in folded case: ``has_items(x+1)`` has the words has, items, x and 1. Every
    CJK, kana or hangul character is a word by itself. Full-width and other compatible forms count as their plain
    ones (NFKC). A text without a word is two blanks.
    """
    if not text.isascii():
        # White space parts words and normal forms alike, so only what lies between needs the slow way.
        text = " ".join([run if run.isascii() else _in_words(run) for run in text.split()])
    return b" %b " % b" ".join(text.encode("utf-8", "surrogatepass").translate(_ASCII).split())


def words(text: str) -> list[str]:
    """Return the words of a text, as :func:`spaced` parts them."""
    return spaced(text).decode("utf-8", "surrogatepass").split()


def _in_words(run: str) -> str:
    return _remembered(run) if len(run) <= _MEMORABLE else _parted(run)


def _parted(run: str) -> str:
    return " ".join(_WORD.findall(normalize("NFKC", run).casefold()))


_remembered = lru_cache(maxsize=_REMEMBERED)(_parted)
