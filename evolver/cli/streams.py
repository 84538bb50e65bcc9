"""Streams that cannot write every character: an old code page, ``LC_ALL=C``. No output of ours ends in an error."""

from __future__ import annotations

import codecs
import sys

# Characters of our own drawings and sentences, and what stands for them where they cannot be written.
_LOOK_ALIKES = {
    "…": "...", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x", "→": "->", "≥": ">=", "≤": "<=",
    "✓": "+", "✗": "x", "▶": ">", "├": "|", "└": "`", "│": "|", "─": "-", "━": "-", "·": ".", "•": "*", "█": "#",
    "▁": "_", "\N{REPLACEMENT CHARACTER}": "?",
}  # fmt: skip

ESCAPING = "evolver-escaping"
READABLE = "evolver-readable"


def prepare_streams(arguments: list[str]) -> None:
    """Let stdout and stderr write what their encoding lacks in another way, for people and for programs.

    Where ``arguments`` ask for JSON or CSV, a character becomes ``\\uXXXX``, which JSON reads as the character itself,
    and nothing but that; else a character of our drawings becomes one that looks like it.
    """
    codecs.register_error(ESCAPING, _escaped)
    codecs.register_error(READABLE, _readable)
    data = not {"--json", "--csv", "--graphml", "--dot"}.isdisjoint(arguments)
    for stream, errors in ((sys.stdout, ESCAPING if data else READABLE), (sys.stderr, READABLE)):
        # a stream that Python was started without, or that a program put in its place
        if hasattr(stream, "reconfigure") and (stream.encoding or "").lower().replace("-", "") != "utf8":
            stream.reconfigure(errors=errors)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    if all(character in _LOOK_ALIKES for character in characters):
        return "".join(_LOOK_ALIKES[character] for character in characters), error.end
    first = characters[0]
    if first in _LOOK_ALIKES:
        return _LOOK_ALIKES[first], error.start + 1
    text, _ = _escaped(UnicodeEncodeError(error.encoding, first, 0, 1, error.reason))
    return text, error.start + 1
