"""The additions of ``evolver_offline.phrases``, ready to be drawn from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from evolver_offline.dice import Dice
from evolver_offline.phrases import cjk, code, pieces, prose, tasks, writing
from evolver_offline.reading import Method
from evolver_offline.subject import Subject
from evolver_offline.words import CJK_FEW, SLOTS

_SLOT = re.compile(r"\{(\w+)\}")
_TRIES = 8


class Phrase(NamedTuple):
    """A sentence with slots; ``tell`` and ``lead`` give away that an instruction holds the like of it already."""

    tell: str
    lead: str
    parts: tuple[str | tuple[str, ...], ...]

    def is_news(self, lowered: str) -> bool:
        """Whether an instruction, lower-cased, says nothing of the sort yet."""
        return self.tell not in lowered and self.lead not in lowered

    def fill(self, dice: Dice) -> str:
        """Draw a word for each slot."""
        return "".join(part if isinstance(part, str) else dice.pick(part) for part in self.parts)


def phrases(text: str, **slots: tuple[str, ...]) -> tuple[Phrase, ...]:
    """Parse one ``tell :: sentence`` a line; ``slots`` go before those of the common vocabulary.

    Raises:
        KeyError: A sentence names a slot without a vocabulary.
    """
    vocabulary = {**SLOTS, **slots}
    found = []
    for line in text.strip().splitlines():
        tell, _, sentence = line.rpartition(" :: ")
        pieces = _SLOT.split(sentence)
        parts = tuple(vocabulary[piece] if place % 2 else piece for place, piece in enumerate(pieces))
        lead = max(pieces[::2], key=len).strip().lower()
        found.append(Phrase(tell.lower() or lead, lead, tuple(part for part in parts if part)))
    return tuple(found)


_PROSE: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(prose.ADD_CONSTRAINTS),
    "deepen": phrases(prose.DEEPEN),
    "concretize": phrases(prose.CONCRETIZE),
    "reasoning": phrases(prose.INCREASE_REASONING),
}
_WRITING: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(writing.ADD_CONSTRAINTS),
    "deepen": phrases(writing.DEEPEN),
    "concretize": phrases(writing.CONCRETIZE),
    "reasoning": phrases(writing.INCREASE_REASONING),
}
_PIECES: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(pieces.ADD_CONSTRAINTS),
    "deepen": phrases(pieces.DEEPEN),
    "concretize": phrases(pieces.CONCRETIZE),
    "reasoning": phrases(pieces.INCREASE_REASONING),
}
_TASKS: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(tasks.ADD_CONSTRAINTS),
    "deepen": phrases(tasks.DEEPEN),
    "concretize": phrases(tasks.CONCRETIZE),
    "reasoning": phrases(tasks.INCREASE_REASONING),
}
_CODE: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(code.ADD_CONSTRAINTS),
    "deepen": phrases(code.DEEPEN),
    "concretize": phrases(code.CONCRETIZE),
    "reasoning": phrases(code.INCREASE_REASONING),
    "complexity": phrases(code.COMPLEXITY),
}
_JAPANESE: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(cjk.JA_ADD_CONSTRAINTS, few=CJK_FEW),
    "deepen": phrases(cjk.JA_DEEPEN, few=CJK_FEW),
    "concretize": phrases(cjk.JA_CONCRETIZE, few=CJK_FEW),
    "reasoning": phrases(cjk.JA_INCREASE_REASONING, few=CJK_FEW),
}
_CHINESE: dict[Method, tuple[Phrase, ...]] = {
    "constraints": phrases(cjk.ZH_ADD_CONSTRAINTS, few=CJK_FEW),
    "deepen": phrases(cjk.ZH_DEEPEN, few=CJK_FEW),
    "concretize": phrases(cjk.ZH_CONCRETIZE, few=CJK_FEW),
    "reasoning": phrases(cjk.ZH_INCREASE_REASONING, few=CJK_FEW),
}
_BOOKS = {
    "code": _CODE,
    "writing": _WRITING,
    "piece": _PIECES,
    **dict.fromkeys(("translation", "classify", "edit", "maths", "data"), _TASKS),
}


def addition(method: Method, subject: Subject, dice: Dice) -> str:
    """Draw a sentence that fits the instruction and says nothing that stands there already.

    An instruction that has gathered every sentence of its sort gets one of another method's.
    """
    book = _book(subject)
    fitting = book.get(method) or book["constraints"]
    lowered = subject.lowered
    for _ in range(_TRIES):
        phrase = dice.pick(fitting)
        if phrase.is_news(lowered):
            return phrase.fill(dice)
    return _any_new(fitting, book, subject, dice)


def _book(subject: Subject) -> dict[Method, tuple[Phrase, ...]]:
    if subject.language != "en":
        return _JAPANESE if subject.language == "ja" else _CHINESE
    return _BOOKS.get(subject.kind, _PROSE)


def _any_new(
    fitting: Sequence[Phrase], book: dict[Method, tuple[Phrase, ...]], subject: Subject, dice: Dice
) -> str:
    everything = (*fitting, *(phrase for pool in book.values() for phrase in pool))
    for phrase in everything:
        if phrase.is_news(subject.lowered):
            return phrase.fill(dice)
    return dice.pick(everything).fill(dice)
