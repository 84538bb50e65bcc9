"""Makes Markdown of docstrings for the Python reference: roles become code, examples at a prompt become blocks."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`~?([^`]+)`")
PROMPT = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*)*", re.MULTILINE)
SKIP = re.compile(r"\s*# doctest: \+\w+")


def as_markdown(docstring: str) -> str:
    """Return a docstring as Markdown."""
    text = ROLE.sub(lambda role: f"`{role[1]}`", docstring)
    return PROMPT.sub(_block, text)


def _block(found: re.Match[str]) -> str:
    indent = found["indent"]
    return f"{indent}```pycon\n{SKIP.sub('', found[0])}\n{indent}```"


class Docstrings(griffe.Extension):
    """Rewrite each docstring as it is collected."""

    def on_instance(self, *, obj: Any, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if not obj.is_alias and obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
