"""Rule ``about_rewriting``."""

from __future__ import annotations

import re
from typing import Final

from evolver.elimination.verdict import Candidate, Drop

NAME: Final = "about_rewriting"

_WHICH: Final = (
    r"(?:(?:the|this|that|an?|your|my|their|each|following|given|above|original|initial|provided|existing|current"
    r"|user'?s?|simple|basic)\s+){0,4}"
)
_PROMPT: Final = r"(?:(?:\#|\*|_)*(?:instructions?|prompts?)(?:\#|\*|_)*)"
_TASK: Final = r"(?:instructions?|prompts?|tasks?|questions?|queries|query|problems?|requests?)"
_CHANGE: Final = (
    r"(?:evolve|re-?write|re-?phrase|reformulate|modify|transform|enhance|upgrade|adapt|revise|improve|complicate"
    r"|expand(?:\s+(?:on|upon))?"
    r"|extend|refine|rework|elevate|augment|deepen|re-?design|re-?frame|alter|adjust|change|turn|convert|update|strengthen)"
)
_HARDER: Final = (
    r"(?:(?:(?:much|far|slightly|somewhat|a\s+(?:bit|little))\s+)?(?:more|increasingly)\s+"
    r"(?:complex|challenging|difficult|complicated|advanced|demanding|intricate|sophisticated)"
    r"|harder|tougher|(?:more|greater|additional|added|increased)\s+(?:complexity|difficulty|depth)|deeper)"
)
_POLITE: Final = (
    r"(?:(?:please|now|next|first|kindly|(?:can|could|would)\s+you|your\s+task\s+is\s+to|you\s+are\s+to"
    r"|i\s+want\s+you\s+to|let'?s|try\s+to)\s*[,:]?\s+)*"
)
# "the instruction manual" and "the instruction pointer" are other things.
_DONE: Final = (
    r"(?=\s*(?:[.,:;!?)\n]|$)"
    r"|\s+(?:so|to|by|that|into|in|with|such|from|for|using|and|while|below|above|as|which)\b)"
)

_START: Final = re.compile(
    rf"""[\s\#*>"'“-]*{_POLITE}
    (?:
      # "Evolve the given instruction so that …", "Rewrite this prompt …"
      {_CHANGE}\s+{_WHICH}{_PROMPT}{_DONE}
      # "Rewrite the following question to make it more complex"
    | {_CHANGE}\s+{_WHICH}(?:{_TASK}|it)\b[^.\n]{{0,80}}?\b{_HARDER}
      # "Make the question more challenging by …"
    | make\s+{_WHICH}{_TASK}\s+(?:\w+\s+){{0,2}}?{_HARDER}
    | (?:increase|raise|add\s+to|boost)\s+(?:the\s+)?(?:overall\s+)?(?:complexity|difficulty|depth)\s+
        (?:level\s+)?of\s+{_WHICH}{_TASK}\b
    | add\s+(?:\w+\s+){{0,4}}?(?:constraints?|requirements?|reasoning\s+steps?|conditions?|details?)\s+
        (?:\w+\s+){{0,3}}?to\s+{_WHICH}{_TASK}\b
    | (?:create|write|generate|produce|provide|develop)\s+an?\s+(?:\w+\s+){{0,2}}?(?:version|variant|rewrite)\s+
        of\s+{_WHICH}{_PROMPT}\b
    | (?:create|write|generate|produce|provide|develop)\s+an?\s+{_HARDER}\s+(?:version|variant)\s+
        of\s+{_WHICH}{_TASK}\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_LABEL: Final = re.compile(
    rf"""(?:^|\n)[\s\#*>_]*
    (?:
      (?:here(?:'|’)?s|here\s+is|below\s+is|this\s+is)\s+(?:an?|the|my|your)\s+
        (?:(?:\w+[\s-]+){{0,3}}?(?:version|rewrite|variant)\s+of\s+{_WHICH}{_TASK}
         |(?:re-?written|evolved|revised|modified|updated|enhanced|improved|more\s+\w+)\s+(?:\w+\s+)?{_TASK})\b
    | (?:the\s+)?(?:re-?written|evolved|revised|modified|enhanced)\s+(?:version\s+of\s+)?(?:the\s+)?
        {_TASK}[\#*_\s]*[:：]
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def about_rewriting(candidate: Candidate) -> Drop | None:
    """Drop a rewrite that talks about rewriting instead of being rewritten.

    "Evolve the given instruction so that …", "Make the question more challenging", "Here is the rewritten prompt:".
    Edges: at the start of the text, after a "please", or as a label at the start of a line; English. Where the parent
    is about rewriting an instruction, question or task as well, it is the subject and not a slip.
    Source: our own. Wrongly caught: a rewrite that makes an instruction the subject of the task of its own accord.
    """
    found = _find(candidate.instruction)
    if found is None or _find(candidate.parent) is not None:
        return None
    return Drop(NAME, f"the rewrite talks about rewriting: {' '.join(found.split())[:80]!r}")


def _find(text: str) -> str | None:
    match = _START.match(text) or _LABEL.search(text)
    return None if match is None else match.group()
