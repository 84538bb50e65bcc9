"""The fixed labels of the prompts, each on a line of its own.

The embedded model finds its way through a prompt by them, and so does anybody who parses one: search from the end
(``str.rfind``), since an instruction may hold a label itself.
"""

from __future__ import annotations

METHOD = "#Method#:"
GIVEN = "#Given Prompt#:"
REWRITTEN = "#Rewritten Prompt#:"
CREATED = "#Created Prompt#:"

FIRST = "#First Prompt#:"
SECOND = "#Second Prompt#:"
JUDGEMENT = "#Your Judgement#:"
SCORE = "#Score#:"

FORMATS = {
    "XML": "XML data",
    "SQL database": "an SQL database",
    "Python code": "Python code",
    "HTML page": "an HTML page",
    "shell command": "a shell command",
    "JSON": "JSON data",
}
"""The formats ``complicate_input`` draws from, each with the words that name its data in a sentence."""


def rewritten_with(data: str) -> str:
    """The open label of ``complicate_input``; ``data`` is a value of :data:`FORMATS`."""
    return f"#Rewritten Prompt# (it MUST contain {data} as its input):"
