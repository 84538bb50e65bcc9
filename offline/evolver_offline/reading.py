"""Finds out what a prompt asks for, by the labels that every template carries."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

from evolver_templates import labels

Method = Literal["constraints", "deepen", "concretize", "reasoning", "misdirection", "complexity"]
Task = Method | Literal["data", "breadth"]

_METHOD = f"{labels.METHOD}\n"
_GIVEN = f"\n{labels.GIVEN}\n"
_REWRITTEN = f"\n{labels.REWRITTEN}"
_CREATED = f"\n{labels.CREATED}"
_FIRST = f"{labels.FIRST}\n"
_SECOND = f"\n{labels.SECOND}\n"
_JUDGEMENT = f"\n{labels.JUDGEMENT}"
_DATA_LABELS = {labels.rewritten_with(words): name for name, words in labels.FORMATS.items()}
_QUESTION = "#Question#:\n"
_CODING = "programming question"
_LONGEST_LABEL = 60  # characters; a longer last line is no open label but part of the instruction


class Rewrite(NamedTuple):
    """A rewrite asked for: what to do, to which instruction, with data of which format, if any.

    ``coding`` says that the prompt itself calls the instruction a programming question.
    """

    task: Task
    given: str
    format: str = ""
    coding: bool = False


def rewrite_asked(prompt: str) -> Rewrite:
    """Read an evolving prompt; one without the labels is taken for a request to add a constraint."""
    text = prompt.rstrip()
    last = text[text.rfind("\n") + 1 :]
    if last in _DATA_LABELS:
        return Rewrite("data", _between(text, text.rfind(_GIVEN), len(last)), _DATA_LABELS[last])
    if last == labels.CREATED:
        return Rewrite("breadth", _between(text, text.find(_GIVEN), len(last)))
    if last == labels.REWRITTEN:
        start = text.find(_METHOD)
        method_end = text.find("\n", start + len(_METHOD))
        task = _method(text[start:method_end]) if start >= 0 else "constraints"
        given = _between(text, text.find(_GIVEN, max(start, 0)), len(last))
        return Rewrite(task, given, coding=_CODING in text[:start])
    return Rewrite("constraints", _unlabelled(text))


def _between(text: str, label: int, tail: int) -> str:
    """What stands between the given label and the open label, or all of it where there is no given label."""
    end = len(text) - tail - 1
    return text[label + len(_GIVEN) : end] if 0 <= label < end else text[: max(end, 0)]


@lru_cache(maxsize=64)
def _method(text: str) -> Method:
    for cue, method in (
        ("erroneous", "misdirection"),
        ("space complexity", "complexity"),
        ("reasoning", "reasoning"),
        ("breadth", "deepen"),
        ("specific", "concretize"),
    ):
        if cue in text:
            return method  # type: ignore[return-value]  # each is one of the literals
    return "constraints"


def _unlabelled(text: str) -> str:
    """The instruction in a prompt of anybody's wording.

    What follows the last line that ends in a colon, else the first blank line, else the whole; an open label
    at the end is left out. Rules can do no better, and keep too much rather than too little.
    """
    head, _, last = text.rpartition("\n")
    if head and last.endswith(":") and len(last) <= _LONGEST_LABEL:
        text = head.rstrip()
    _, blank, rest = text.partition("\n\n")
    label = text.find(":\n")
    if label >= 0 and not (blank and text.find("\n\n") < label):
        rest = text[label + 2 :]
    return rest.strip() or text


class Judged(NamedTuple):
    """Two instructions to compare."""

    first: str
    second: str


def comparison_asked(prompt: str) -> Judged | None:
    """Read an equality judge's prompt; ``None`` for a prompt that compares nothing."""
    first, second = prompt.find(_FIRST), prompt.rfind(_SECOND)
    end = prompt.rfind(_JUDGEMENT)
    if not 0 <= first < second < end:
        return None
    tail = prompt[second + len(_SECOND) : end]
    question = tail.rfind("\n")  # the last line repeats how to answer
    return Judged(prompt[first + len(_FIRST) : second], tail[:question] if question >= 0 else tail)


def question_to_score(prompt: str) -> str:
    """Read a difficulty judge's prompt: the question it wants a score for."""
    start = prompt.find(_QUESTION)
    return prompt[start + len(_QUESTION) : prompt.rfind("\n", 0, prompt.rfind(labels.SCORE) - 1)]
