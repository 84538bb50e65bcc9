"""Code for answers: small programs that do what they say, and sketches where none is known."""

from __future__ import annotations

from keyword import iskeyword
from typing import NamedTuple

from evolver_offline.data import table
from evolver_offline.dice import Dice
from evolver_offline.subject import Subject
from evolver_offline.terms import key_terms


class Program(NamedTuple):
    """A tested Python program, the words that call for it (the first and the last of one entry), and a note on it."""

    cues: tuple[tuple[str, ...], ...]
    code: str
    note: str


_TABLE = table("programs")
PROGRAMS = tuple(
    Program(tuple(map(tuple, row["cues"])), row["code"], row["note"]) for row in _TABLE.rows("PROGRAMS")
)
_SKETCHES = _TABLE.texts("SKETCHES")
_SQL = _TABLE.texts("SQL")
_HTML = _TABLE.texts("HTML")
_CSS = _TABLE.texts("CSS")
_SHELL = _TABLE.texts("SHELL")
_JAVASCRIPT = _TABLE.texts("JAVASCRIPT")
_LANGUAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("sql", "sql", _SQL),
    ("html", "html", _HTML),
    ("css", "css", _CSS),
    ("bash", "sh", _SHELL),
    ("shell", "sh", _SHELL),
    ("linux", "sh", _SHELL),
    ("javascript", "javascript", _JAVASCRIPT),
    ("jquery", "javascript", _JAVASCRIPT),
    ("react", "javascript", _JAVASCRIPT),
)


def program_for(lowered: str) -> Program | None:
    """The program an instruction calls for, if it is one of those at hand."""
    for program in PROGRAMS:
        for cues in program.cues:
            if cues[0] in lowered and cues[-1] in lowered:
                return program
    return None


def sketch(subject: Subject, dice: Dice) -> str:
    """A Python skeleton named after the instruction; always compiles."""
    one, two = _names(subject)
    name = f"{one}_{two}"
    return dice.pick(_SKETCHES).format(name=name, Name=one.title() + two.title())


def foreign_sketch(subject: Subject, dice: Dice) -> tuple[str, str] | None:
    """A skeleton in another language and that language's name, where the instruction names one at hand."""
    opening = subject.opening.lower()
    for cue, language, sketches in _LANGUAGES:
        if cue in opening:
            one, two = _names(subject)
            code = dice.pick(sketches).format(one=one, two=two, One=one.title(), name=one + two.title())
            return language, code
    return None


def _names(subject: Subject) -> tuple[str, str]:
    terms = [term.lower() for term in key_terms(subject)]
    names = [term for term in terms if term.isascii() and term.isalpha() and not iskeyword(term)]
    return (*names, "entry", "list")[0], (*names[1:], "list", "value")[0]
