"""Rule ``only_stop_words``."""

from __future__ import annotations

import re
from typing import Final

from evolver.elimination.verdict import Candidate, Drop

NAME = "only_stop_words"

# The English stop words that NLTK hands out, all 179.
_ENGLISH: Final = """
i me my myself we our ours ourselves you you're you've you'll you'd your yours yourself yourselves
he him his himself she she's her hers herself it it's its itself they them their theirs themselves
what which who whom this that that'll these those am is are was were be been being
have has had having do does did doing a an the and but if or because as until while
of at by for with about against between into through during before after above below
to from up down in out on off over under again further then once here there when where why how
all any both each few more most other some such no nor not only own same so than too very
s t can will just don don't should should've now d ll m o re ve y
ain aren aren't couldn couldn't didn didn't doesn doesn't hadn hadn't hasn hasn't haven haven't
isn isn't ma mightn mightn't mustn mustn't needn needn't shan shan't shouldn shouldn't
wasn wasn't weren weren't won won't wouldn wouldn't
"""
STOP_WORDS: Final = frozenset(_ENGLISH.split())

_WORD: Final = re.compile(r"[^\W_]+")


def only_stop_words(candidate: Candidate) -> Drop | None:
    """Drop a candidate whose response is nothing but punctuation, symbols and English stop words.

    Units: words as runs of letters and digits; an apostrophe is punctuation, and both halves of every
    contraction in the list are in it too. Edges: any case; a response without any word (empty, "...", "🙂")
    is dropped, one with a digit or a letter of any other word ("42", "B", "Yes", "はい") is kept. A response
    that is not there yet is kept.
    Source: elimination rule 3 of Evol-Instruct, arXiv:2304.12244. Wrongly caught: "No", the choices "A" and
    "D", and lone signs such as "∞".
    """
    if candidate.response is None:
        return None
    words = 0
    for word in _WORD.finditer(candidate.response):
        if word.group().casefold() not in STOP_WORDS:
            return None
        words += 1
    if words == 0:
        return Drop(NAME, "the response has no word")
    return Drop(NAME, f"the response has only stop words, {words} of {words}")
