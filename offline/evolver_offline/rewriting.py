"""Rewrites instructions as an evolving prompt asks."""

from __future__ import annotations

from evolver_offline.blocks import with_data
from evolver_offline.breadth import new_instruction
from evolver_offline.dice import Dice
from evolver_offline.phrasebook import addition
from evolver_offline.phrases.code import MISDIRECTION_CODE, MISDIRECTION_LEADS
from evolver_offline.reading import Rewrite
from evolver_offline.subject import Subject, read, with_sentence


def rewritten(asked: Rewrite, dice: Dice) -> str:
    """Answer an evolving prompt."""
    subject = read(asked.given)
    if asked.coding:
        subject = subject._replace(kind="code")
    if asked.task == "breadth":
        return new_instruction(subject, dice)
    if asked.task == "data":
        return with_data(subject, asked.format, dice)
    if asked.task == "misdirection":
        return _with_faulty_code(subject, dice)
    return with_sentence(subject, addition(asked.task, subject, dice))


def _with_faulty_code(subject: Subject, dice: Dice) -> str:
    """Add code with a fault, another one than stands there already where there is one left."""
    code = next(
        (draft for draft in dice.shuffled(MISDIRECTION_CODE) if draft not in subject.text),
        MISDIRECTION_CODE[0],
    )
    lead = dice.pick(MISDIRECTION_LEADS)
    return f"{subject.text}\n\n{lead}\n\n{code}"
