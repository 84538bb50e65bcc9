"""The embedded model's deliberate failures, so that every elimination rule is seen at work.

The shares are of evolving or answering calls, in thousandths. A pool adds refusals of its own: see
``impossible`` for the requests that no text model can meet.
"""

from __future__ import annotations

from enum import Enum, auto

from evolver_offline.dice import Dice
from evolver_offline.subject import Subject


class Mishap(Enum):
    """One way to fail."""

    RESPACED = auto()
    POLITE = auto()
    ECHO = auto()
    CUT = auto()
    EMPTY_WORDS = auto()
    TIMID = auto()


_REWRITE_SHARES = ((Mishap.RESPACED, 20), (Mishap.POLITE, 20), (Mishap.ECHO, 12), (Mishap.CUT, 4))
_ANSWER_SHARES = ((Mishap.EMPTY_WORDS, 7), (Mishap.TIMID, 11), (Mishap.CUT, 4))

ECHOES = (
    "The #Rewritten Prompt# keeps everything that was asked and adds one condition.",
    "(This rewritten prompt is a little harder than before.)",
    "Compared with the #Given Prompt#, only the last condition is new.",
    "Note: the given prompt has been made more specific here.",
)
EMPTY_WORDS = (
    "It is what it is.",
    "...",
    "That is all there is to it.",
    "And so on, and so on.",
    "。。。",
    "To be or not to be.",
)


TIMID = (
    "Sorry, there is not enough to go on here; please say more about what you have in mind.",
    "I'm sorry, but I would need more details before I could answer that well.",
    "Sorry, I cannot help with this as it stands. Could you put it differently?",
    "I am sorry, that goes beyond what I can answer with confidence.",
)


def rewrite_mishap(dice: Dice) -> Mishap | None:
    """Draw what goes wrong with a rewrite; mostly nothing."""
    return _drawn(_REWRITE_SHARES, dice)


def answer_mishap(dice: Dice) -> Mishap | None:
    """Draw what goes wrong with an answer; mostly nothing."""
    return _drawn(_ANSWER_SHARES, dice)


def _drawn(shares: tuple[tuple[Mishap, int], ...], dice: Dice) -> Mishap | None:
    drawn = dice.roll(1000)
    for mishap, share in shares:
        if drawn < share:
            return mishap
        drawn -= share
    return None


def respaced(text: str, dice: Dice) -> str:
    """Change nothing but case or white space."""
    if dice.roll(2) and " " in text:
        return text.replace(" ", "  ", 1)
    return text[:1].swapcase() + text[1:]


def polite(subject: Subject, dice: Dice) -> str:
    """Add a polite word and nothing else."""
    if subject.language != "en":
        return subject.text + ("よろしくお願いします。" if subject.language == "ja" else "谢谢。")
    if subject.body or dice.roll(2):
        return f"Please {subject.text[:1].lower()}{subject.text[1:]}"
    return f"{subject.text} Thank you."


def cut(text: str) -> str:
    """Stop in the middle, as at a token limit."""
    return text[: max(1, len(text) * 2 // 3)]
