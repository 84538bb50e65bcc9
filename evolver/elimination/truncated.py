"""Rule ``truncated``."""

from __future__ import annotations

from evolver.elimination.verdict import Candidate, Drop
from evolver.text import count_words

NAME = "truncated"


def truncated(candidate: Candidate) -> Drop | None:
    """Drop a candidate whose rewrite, or response once there is one, was cut by the token limit.

    The engine has by then asked a second time with double the limit. Reads the finish reason ``length``,
    never the text: one that ends in the middle of a sentence of its own accord lives.
    Source: our own; half an answer teaches to stop halfway. Wrongly caught: a long answer that was complete
    but for its last words.
    """
    if candidate.finish_reason != "length":
        return None
    what, text = ("rewrite", candidate.instruction)
    if candidate.response is not None:
        what, text = ("response", candidate.response)
    return Drop(NAME, f"the {what} was cut by the token limit after {count_words(text)} words")
