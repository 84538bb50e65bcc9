"""Channel markup: a model's messages to itself and to the user, in one text.

Formats: harmony (``<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…``), whole,
begun by the server's template, or with its special tokens stripped (``analysis…assistantfinal…``).
"""

from __future__ import annotations

import re
from typing import Final

from evolver.markup import in_code, quoted

_CHANNEL: Final = "analysis|commentary|final|thought|thinking|reasoning"
_TO: Final = r"(?:\s+to=[^\s<]+)?(?:\s*(?:<\|constrain\|>\s*\w+|code|json))?"
_HEADER: Final = re.compile(
    rf"(?:<\|start\|>\s*assistant{_TO})?<\|channel\|>\s*(?P<channel>{_CHANNEL})(?:{_TO}\s*<\|message\|>|(?=\n))"
    rf"|<\|start\|>\s*assistant{_TO}\s*<\|message\|>"
)
_BEGUN: Final = re.compile(rf"(?P<channel>{_CHANNEL}){_TO}\s*<\|message\|>")
_END: Final = re.compile(r"<\|(?:end|return|call)\|>|(?=<\|start\|>|<\|channel\|>)|\Z")
_FINAL_LATER: Final = re.compile(
    rf"(?:<\|end\|>\s*)?(?:<\|start\|>\s*assistant\s*)?<\|channel\|>\s*final{_TO}\s*<\|message\|>"
)

_BARE: Final = re.compile(r"(?:assistant)?analysis(?=\S)|analysis(?=\s)")
_BARE_FINAL: Final = re.compile(r"(?:(?<=\S)|(?<=\n))assistant\s?final(?=\S|\s|\Z)")
_GLUED: Final = re.compile(r"analysis(?=[A-Z][a-z']|I\b)")
_TURN: Final = re.compile(rf"(?<=\S)assistant(?:{_CHANNEL})(?=[A-Z])")


def split_channels(text: str, start: int) -> tuple[str, str, bool] | None:
    """Return answer, reasoning and whether the trace is unclosed; ``None`` for a text without channels."""
    if text.startswith(("<|channel|>", "<|start|>"), start):
        return _messages(text, start)
    begun = _BEGUN.match(text, start) if "<|message|>" in text else None
    if begun is not None:
        return _messages("<|channel|>" + text[start:], 0)
    if "<|channel|>" in text:
        later = _FINAL_LATER.search(text, start)
        if later is None or quoted(text, *later.span()) or in_code(text, later.start()):
            return None
        return _until_end(text, later.end()), text[start : later.start()], False
    return _bare(text, start)


def _messages(text: str, start: int) -> tuple[str, str, bool] | None:
    """Sort the messages of a whole text by channel; what goes to a tool is none of the answer."""
    header = _HEADER.match(text, start)
    if header is None:
        return None
    final: list[str] = []
    thoughts: list[str] = []
    place = start
    while header is not None:
        thoughts.append(text[place : header.start()])
        end = _END.search(text, header.end())
        assert end is not None  # the end of the text is one
        to_user = header["channel"] == "final" or header["channel"] is None
        (final if to_user else thoughts).append(text[header.end() : end.start()])
        place = end.end()
        header = _HEADER.search(text, place)
    rest = text[place:]
    if rest.strip():
        (final if final else thoughts).append(rest)
    thought = "\n\n".join(stripped for each in thoughts if (stripped := each.strip()))
    return "\n\n".join(final), thought, not final


def _until_end(text: str, start: int) -> str:
    end = re.compile(r"<\|(?:return|end)\|>\s*\Z").search(text, start)
    return text[start : end.start()] if end else text[start:]


def _bare(text: str, start: int) -> tuple[str, str, bool] | None:
    """Read channels whose special tokens the server has stripped: the names run into the words beside them."""
    if not text.startswith(("analysis", "assistant"), start):
        return None
    if text.startswith("assistantfinal", start):
        return text[start + len("assistantfinal") :], "", False
    opening = _BARE.match(text, start)
    if opening is None:
        return None
    final = _BARE_FINAL.search(text, opening.end())
    if final is not None:
        thought = _TURN.sub("\n\n", text[opening.end() : final.start()])
        return text[final.end() :], thought, False
    if _GLUED.match(text, start):
        return "", text[opening.end() :], True
    return None
