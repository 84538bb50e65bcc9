"""The blocks of a page: commands, code, files and what a reader is shown of their output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
_BLOCK = re.compile(
    r"(?:<!-- (?P<note>.*?) -->\n)?^```(?P<kind>\w*)\n(?P<text>.*?\n)```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, with the comment above it."""

    kind: str
    text: str
    note: str = ""
    shown: str = ""  # the text block behind it


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order; a block of output belongs to what stands before it."""
    found: list[Block] = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        block = Block(match["kind"], match["text"], match["note"] or "")
        if block.kind == "text" and found:
            before = found.pop()
            found.append(Block(before.kind, before.text, before.note, before.shown + block.text))
        else:
            found.append(block)
    return found


def missing(shown: str, said: str) -> list[str]:
    """Return the lines of ``shown`` that ``said`` has not, or not in that order; ``…`` stands for anything."""
    lost, at = [], 0
    joined = " ".join(said.split())
    for line in filter(None, map(str.strip, shown.splitlines())):
        pattern = ".*?".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        match = re.compile(pattern).search(joined, at)
        if match is None:
            lost.append(line)
        else:
            at = match.end()
    return lost
