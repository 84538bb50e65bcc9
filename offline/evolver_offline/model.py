"""The embedded model itself: which part answers which request."""

from __future__ import annotations

import asyncio

from evolver.models.protocol import Completion, Request
from evolver_offline.answering import answer
from evolver_offline.breadth import coding_problem
from evolver_offline.dice import Dice
from evolver_offline.judging import difficulty, judgement
from evolver_offline.mishaps import (
    ECHOES,
    EMPTY_WORDS,
    TIMID,
    Mishap,
    answer_mishap,
    cut,
    polite,
    respaced,
    rewrite_mishap,
)
from evolver_offline.reading import comparison_asked, question_to_score, rewrite_asked
from evolver_offline.rewriting import rewritten
from evolver_offline.subject import read, with_sentence

_CHARACTERS_PER_TOKEN = 4  # the usual rule of thumb for English


class OfflineModel:
    """Answers by rule, without network or weights; its output shows the pipeline and trains nothing.

    A completion depends on prompt, sample and purpose alone, so a run can be repeated anywhere. About one
    attempt in twelve is made to fail, so that every elimination rule is seen at work.
    """

    name = "offline/1"
    provider = "offline"
    local = True

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; never fails, whatever the prompt. Gives way to other tasks once a call."""
        await asyncio.sleep(0)
        text, finish = _REPLIES[request.purpose](request)
        return Completion(
            text,
            finish,
            prompt_tokens=len(request.prompt) // _CHARACTERS_PER_TOKEN,
            completion_tokens=len(text) // _CHARACTERS_PER_TOKEN,
        )


def _evolve(request: Request) -> tuple[str, str]:
    asked = rewrite_asked(request.prompt)
    dice = Dice.of(request.prompt, request.sample)
    mishap = rewrite_mishap(dice)
    if mishap is Mishap.RESPACED:
        return respaced(asked.given, dice), "stop"
    if mishap is Mishap.POLITE:
        return polite(read(asked.given), dice), "stop"
    text = rewritten(asked, dice)
    if mishap is Mishap.ECHO:
        return with_sentence(read(text), dice.pick(ECHOES)), "stop"
    if mishap is Mishap.CUT:
        return cut(text), "length"
    return text, "stop"


def _judge(request: Request) -> tuple[str, str]:
    compared = comparison_asked(request.prompt)
    if compared is None:
        return difficulty(question_to_score(request.prompt)), "stop"
    return judgement(*compared), "stop"


def _answer(request: Request) -> tuple[str, str]:
    dice = Dice.of(request.prompt, request.sample, "answer")
    mishap = answer_mishap(dice)
    if mishap is Mishap.EMPTY_WORDS:
        return dice.pick(EMPTY_WORDS), "stop"
    if mishap is Mishap.TIMID:
        return dice.pick(TIMID), "stop"
    text = answer(request.prompt, dice)
    return (cut(text), "length") if mishap is Mishap.CUT else (text, "stop")


def _oss(request: Request) -> tuple[str, str]:
    return coding_problem(Dice.of(request.prompt, request.sample, "oss")), "stop"


_REPLIES = {"evolve": _evolve, "judge": _judge, "answer": _answer, "oss": _oss}
