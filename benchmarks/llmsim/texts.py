"""Who writes the answers: a generator that costs some microseconds, an echo, or evolver's embedded model.

The prompts of Evol-Instruct end in an open label (``#Rewritten Prompt#:``), so that the last line tells what is
asked for. Prompts of other tools that keep the labels of arXiv:2304.12244 are understood as well.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from random import Random

from benchmarks.llmsim.api import Ask, Finish

Writer = Callable[[Ask], tuple[str, Finish]]

_REQUIREMENTS = (
    "State the running time of every step",
    "Name two edge cases and treat both",
    "Give one counter-example and explain it",
    "Compare at least two approaches first",
    "Assume that the input does not fit into memory",
    "Support each claim with a small calculation",
    "Write for a reader who knows only the basics",
    "List the assumptions that the result rests on",
)
_LIMITS = (
    "within {} words",
    "for inputs of up to {} items",
    "using no more than {} steps",
    "with {} worked examples",
    "for a team of {} people",
    "and finish in under {} minutes",
)
_SPEECH = (
    "the result follows from each part of a given problem when we first choose some structure that holds every value "
    "in order and then walk through it once while counting what has been seen before so an answer needs only linear "
    "time but more memory than sorting would which is fine for most inputs and easy to check by hand because small "
    "examples show where limits lie and how larger cases behave under load"
)

_shuffled = Random(2304)
_VOCABULARY = _SPEECH.split()
_WORDS = [_shuffled.choice(_VOCABULARY) for _ in range(4096)]
_TEXT = " ".join(_WORDS)
_STARTS = list(accumulate((len(word) + 1 for word in _WORDS), initial=0))


def simple(ask: Ask) -> tuple[str, Finish]:
    """Answer deterministically and cheaply: a longer instruction, a verdict, or 90 to 150 words of prose."""
    return _simple(ask), "stop"


def _simple(ask: Ask) -> str:
    prompt = ask.prompt
    last = _last_line(prompt)
    if last.startswith("#"):
        if "Judgement" in last:
            return "Not Equal"
        if "Score" in last:
            return str(ask.digest % 10 + 1)
        if "Prompt#" in last:
            return f"{_given(prompt)} {_constraint(ask.digest)}"
    if "[Problem Description]" in prompt:
        return f"[Problem Description]\n{_prose(ask.digest)}\n\n[Solution]\n{_prose(ask.digest >> 13)}"
    return _prose(ask.digest)


def echo(ask: Ask) -> tuple[str, Finish]:
    """Answer with the prompt."""
    return ask.prompt, "stop"


def purpose(prompt: str) -> str:
    """Return what evolver asked ``prompt`` for, as its last line tells: evolve, judge, oss or answer."""
    last = _last_line(prompt)
    if last.startswith("#") and ("Judgement" in last or "Score" in last):
        return "judge"
    if last.startswith("#") and "Prompt#" in last:
        return "evolve"
    return "oss" if "[Problem Description]" in prompt else "answer"


def _last_line(prompt: str) -> str:
    stripped = prompt.rstrip()
    return stripped[stripped.rfind("\n") + 1 :]


def _given(prompt: str) -> str:
    """Cut the instruction out of an evolving prompt: from the last ``Given Prompt#`` to the open label."""
    start = prompt.rfind("Given Prompt#")
    start = prompt.find("\n", start) + 1 if start >= 0 else 0
    stripped = prompt.rstrip()
    return stripped[start : stripped.rfind("\n") + 1].strip()


def _constraint(content: int) -> str:
    requirement = _REQUIREMENTS[content % 8]
    limit = _LIMITS[(content >> 8) % 6].format((content >> 16) % 97 + 3)
    return f"{requirement}, {limit}."


def _prose(content: int) -> str:
    start, length = content % 3900, 88 + (content >> 16) % 61
    words = _TEXT[_STARTS[start] : _STARTS[start + length] - 1]
    return f"Case {content & 0xFFFFFF:x}: {words}."
