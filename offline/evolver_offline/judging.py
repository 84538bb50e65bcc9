"""Judges as the prompts ask: are two instructions equal, and how hard is one."""

from __future__ import annotations

import re

_WORDS = re.compile(r"\w+").findall
_POLITE = frozenset(("please", "kindly", "thank", "thanks", "you"))
_POLITE_ENDINGS = ("よろしくお願いします", "谢谢")
_MOST_POLITE = 30  # characters that polite words and punctuation can add


def judgement(first: str, second: str) -> str:
    """Answer ``Equal`` when the second asks for nothing else than the first."""
    if first == second:
        return "Equal"
    if abs(len(first) - len(second)) > _MOST_POLITE:
        return "Not Equal"
    return "Equal" if _meaning(first) == _meaning(second) else "Not Equal"


def _meaning(text: str) -> list[str]:
    for ending in _POLITE_ENDINGS:
        text = text.replace(ending, "")
    return [word for word in _WORDS(text.casefold()) if word not in _POLITE]


def difficulty(question: str) -> str:
    """Score from 1 to 10 by what can be counted: length, sentences, and lines of data."""
    sentences = question.count(". ") + question.count("? ") + question.count("。")
    return str(min(10, 2 + len(question) // 150 + sentences + min(2, question.count("\n") // 4)))
