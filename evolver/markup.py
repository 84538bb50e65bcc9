"""Telling markup that a model uses from markup that a text talks about."""

from __future__ import annotations

import re
from typing import Final

_PAIRS: Final = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»", "「": "」", "(": ")", "*": "*"}
_ENDS: Final = frozenset(".!?:;)]}>*_~|'\"”’»」。！？…：")
_FENCE: Final = re.compile(r"^[ \t]{0,3}(?:`{3,}|~{3,})", re.MULTILINE)

_NOUNS: Final = (
    "tags?|tokens?|blocks?|elements?|markers?|delimiters?|sections?|markup|spans?|wrappers?|brackets?|pairs?"
)
_AFTER: Final = re.compile(
    rf"[ \t]*(?:[,/;)]|\.(?!\S)|(?:-|–|—)[ \t])|[ \t]+(?:{_NOUNS}|is|are|was|were|and|or|vs|versus|marks?|means?|"
    "ends?|closes?|opens?|starts?|begins?|signals?|indicates?|terminates?|delimits?|wraps?|holds?|contains?|should|"
    "must|will|would|can|may|has|have|had|in|at|for|with|from|as|which|that|to|of|on|by|before|after|inside|around|"
    r"appears?|comes?|gets?|does|do|if|when|where|because|than|then|so|but|not)\b(?!:)"
)
_BEFORE: Final = re.compile(
    rf"(?:\b(?:{_NOUNS}|with|the|an?|at|by|to|and|or|of|until|after|before|is|are|closing|opening|using|emits?|"
    "writes?|prints?|called|named|like|as|in|on|for|from|this|that|its|your|no|missing|final|ending|literal|"
    r"adds?|inserts?|types?|outputs?|strips?|removes?|see|e\.g\.|between)|[,/;+=|])[ \t]*\Z",
    re.IGNORECASE,
)
_EXPLAINS: Final = re.compile(rf"\b(?:{_NOUNS}|template|regex|parser)\b|</", re.IGNORECASE)
_SAME_SENTENCE: Final = 160
"""Characters before a tag in which an explanation of it would stand."""


def mentioned_after(text: str, end: int) -> bool:
    """Tell whether a sentence about a tag goes on where the tag ends: ``<think> tags are …``, ``</think>, which``."""
    return _AFTER.match(text, end) is not None


def quoted(text: str, start: int, end: int) -> bool:
    """Tell whether ``text[start:end]`` stands between quotes, brackets or signs of Markdown of its own."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if not before or _PAIRS.get(before) != after:
        return False
    outer = text[start - 2 : start - 1] if start >= 2 else ""
    return not outer or not outer.isalnum()


def in_code(text: str, start: int) -> bool:
    """Tell whether a place is inside a code fence, a code span or an indented block."""
    line_start = text.rfind("\n", 0, start) + 1
    line = text[line_start:start]
    if line.startswith(("    ", "\t")) and not line.strip():
        return True
    if line.count("`") % 2:
        return True
    return len(_FENCE.findall(text, 0, start)) % 2 == 1


def closes_a_trace(text: str, start: int, end: int) -> bool:
    """Tell whether a closing tag without an opening one ends a trace, rather than being talked about.

    Servers whose template opens the trace send ``thought</think>answer``. A tag that is quoted, in code, in the
    middle of a sentence, or in a paragraph that explains tags closes nothing.
    """
    if quoted(text, start, end) or in_code(text, start) or mentioned_after(text, end):
        return False
    before = text[:start]
    line = before[before.rfind("\n") + 1 :]
    sentence = before.rstrip()[-_SAME_SENTENCE:].rpartition("\n\n")[2]
    if not before.strip():
        return True
    if not line.strip():  # on a line of its own, or the first on it
        return not (_BEFORE.search(before.rstrip()[-_SAME_SENTENCE:]) or _explained(sentence))
    if line[-1].isspace():
        ended = line.rstrip()[-1] in _ENDS
        alone = text[end : end + 1] in ("", "\n", "\r")
        return (ended or alone) and not (_BEFORE.search(line[-_SAME_SENTENCE:]) or _explained(sentence))
    return True


def _explained(sentence: str) -> bool:
    """Tell whether the last sentence before a tag leads up to it: "the closing tag is:"."""
    last = re.split(r"(?<=[.!?])\s", sentence)[-1]
    return last.rstrip().endswith((":", "：")) and _EXPLAINS.search(last) is not None
