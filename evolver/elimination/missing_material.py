"""Rule ``missing_material``."""

from __future__ import annotations

import re
from typing import Final

from evolver.elimination.verdict import Candidate, Drop

NAME: Final = "missing_material"

_WHAT: Final = (
    r"(?:tables?|datasets?|data\s+sets?|data|code|snippets?|code\s+snippets?|script|text|passage|paragraphs?|article|excerpt|essay|poem"
    r"|story|email|letter|dialogue|conversation|transcript|sentences?|image|picture|photo|figure|graph|chart|diagram"
    r"|spreadsheet|json|csv|xml|log|review|program|function|loop|query|equations?|matrix|case\s+study)"
)
# "the following data structures" are named, not shown.
_DONE: Final = (
    r"(?=\s*(?:[.,;:?!)]|$)|\s+(?:and|or|in|into|to|for|from|with|using|by|that|which|so|as|on|of|is|are|then|who|where"
    r"|about|without|while|if|when|but|at|was|were|has|have|does|do|shows?|contains?|provided|given|below)\b)"
)
_POINTS: Final = re.compile(
    rf"""(?<!\w)(?P<verb>\w+\s+)?\b(?:
      (?:the|this|these)\s+(?:following|below|attached)\s+(?:[\w+\#.-]+\s+){{0,3}}?{_WHAT}
    | (?:the|this|these)\s+(?:[\w+\#.-]+\s+){{0,2}}?{_WHAT}\s+
        (?:below|attached|(?:provided|given|shown)\s+below|that\s+follows)
    ){_DONE}""",
    re.IGNORECASE | re.VERBOSE,
)
# What is to be made is not there yet, and is described by what comes.
_MADE: Final = re.compile(
    r"(?:write|create|implement|build|develop|design|draw|compose|make|produce)\s+", re.IGNORECASE
)
_QUOTED: Final = re.compile(r"""["“«„'‘](?:[^"”»“]{12,}?)["”»“'’]|`[^`]+`""")
_CODE: Final = re.compile(r"[={}\[\];|<>]|\w\(|https?://|\\\w|\d\s*,\s*\d")
_AFTER_COLON: Final = re.compile(r"[:：]\s*\S+(?:\s+\S+)")


def missing_material(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that points to a table, code or text that is not there.

    "Summarize the following article.", "Fix the code below." Edges: English; "following", "below" and "attached"
    alone, since "the given list" is often an argument; anything that could be the thing itself keeps the rewrite:
    a further line, words after a colon, a quotation, signs of code, a link, figures. Where the parent points to
    nothing as well, the fault is the seed's.
    Source: our own. Wrongly caught: a thing that goes on in the same line without any sign.
    """
    found = _find(candidate.instruction)
    if found is None or _find(candidate.parent) is not None:
        return None
    return Drop(NAME, f"the rewrite points to {found!r}, and nothing is there")


def _find(text: str) -> str | None:
    """Return what a text points to and does not show."""
    points = _POINTS.search(text)
    if points is None or _MADE.fullmatch(points["verb"] or ""):
        return None
    if _is_material(text) or _CODE.search(text):
        return None
    return " ".join(points.group().split()[1 if points["verb"] else 0 :])


def _is_material(text: str) -> bool:
    """Tell whether something could be what is pointed to."""
    return bool("\n" in text.strip() or _QUOTED.search(text) or _AFTER_COLON.search(text))
