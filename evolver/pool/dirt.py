"""Dirt that public pools are known for: inputs that mean "none", and rows that run on into others."""

from __future__ import annotations

import re

# Both seen in Alpaca: `<noinput>`, "No input.", "No input required.", `\<noinput\>`, and the word in quotes.
_NO_INPUT = re.compile(
    r"[\W_]*no[ _-]?input(?:\s+(?:is\s+)?(?:required|needed|necessary|provided))?[\W_]*|<?(?:n/a|none)>?\.?",
    re.IGNORECASE,
)
_LONGEST_NONE = 60
_NEXT_ROW = re.compile(r"^[ \t]*([0-9]{1,4})\.[ \t]*Instruction[ \t]*:", re.MULTILINE)


def join_input(instruction: str, input_: str) -> str:
    """Make one text of an instruction and its input, nothing stripped.

    The instruction alone where the input is blank or means "none"; else both with one line feed between,
    the join that reproduces the published code data of WizardCoder (arXiv:2306.08568).
    """
    stripped = input_.strip()
    if not stripped or (len(stripped) <= _LONGEST_NONE and _NO_INPUT.fullmatch(stripped)):
        return instruction
    return f"{instruction}\n{input_}"


def holds_merged_rows(text: str) -> bool:
    r"""Whether further rows of a numbered pool run on inside ``text``: ``##\n18. Instruction: …``.

    Models that wrote pools by the batch left these behind: 22 of 2,000 Alpaca rows hold some in the output.
    A line ``18. Instruction:`` counts only behind a line of ``#`` or before a line ``18. Input:`` or
    ``18. Output:``, and never where the numbering begins at 1: that is an author's own list.
    """
    if "Instruction" not in text:
        return False
    found = _NEXT_ROW.search(text)
    if found is None or int(found[1]) < 2:
        return False
    above = text[: found.start()].rstrip().rpartition("\n")[2].strip()
    if len(above) > 1 and not above.strip("#"):
        return True
    return re.search(rf"^[ \t]*{found[1]}\.[ \t]*(?:Input|Output)[ \t]*:", text, re.MULTILINE) is not None
