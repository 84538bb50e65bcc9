"""Texts of anybody's in Markdown: names of runs, pools, models and files may hold anything, and mean nothing there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from evolver.text import one_line

_PLAIN = re.compile(r"[\w.:/+ -]+", re.ASCII)
_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")  # "_" within a word is none
_LINKS = re.compile(r":(?=//)|(?<=www)\.|@", re.IGNORECASE)


def inline(value: object) -> str:
    """Return a value in one line that is no markup, HTML, link or mention, in a table or a sentence."""
    if value is None:
        return ""
    text = escape(one_line(str(value)), quote=False)
    return _LINKS.sub(lambda found: f"&#{ord(found[0])};", _MARKUP.sub(r"\\\g<0>", text))


def code(text: str) -> str:
    """Return a name as code, or as :func:`inline` does where a sign of it could end the code."""
    return f"`{text}`" if _PLAIN.fullmatch(text) else inline(text)


def table(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; empty where there is no row."""
    lines = ["| " + " | ".join(map(inline, row)) + " |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines]) if lines else ""
