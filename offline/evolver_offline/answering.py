"""Answers an instruction with a composed demonstration: outline, list, table, piece of prose, or code.

It knows no facts and claims none. What no text model can do, it refuses.
"""

from __future__ import annotations

import re

from evolver_offline import speech
from evolver_offline.dice import Dice
from evolver_offline.impossible import impossible
from evolver_offline.programs import foreign_sketch, program_for, sketch
from evolver_offline.subject import Subject, read
from evolver_offline.terms import key_terms, topic_of
from evolver_offline.words import SLOTS

_READ = 300  # characters of an instruction that are looked at for figures
_MOST_REQUIREMENTS = 6
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*").findall
_FEWEST_LETTERS = 12  # shorter pieces between full stops are abbreviations, no sentences


def answer(instruction: str, dice: Dice) -> str:
    """Compose an answer; any text will do as an instruction."""
    subject = read(instruction)
    refused = impossible(subject)
    if refused:
        pool = speech.REFUSALS if subject.language == "en" else speech.JAPANESE_REFUSALS
        return dice.pick(pool).format(what=refused)
    if subject.language != "en":
        return _cjk(subject, dice)
    a, b = _terms(subject)
    kind = subject.kind
    if kind == "code":
        return _code(subject, dice)
    if kind in ("writing", "piece"):
        return _piece(subject, a, b, dice)
    if kind == "list":
        return _list(subject, a, b, dice)
    if kind == "maths":
        return _calculation(subject, a, b, dice)
    return _outline(subject, a, b, dice)


def _terms(subject: Subject) -> tuple[str, str]:
    terms = key_terms(subject)
    topic = topic_of(subject)
    if topic:
        return topic, next((term for term in terms if term not in topic.lower()), "the context")
    return (*terms, "the subject")[0], (*terms[1:], "the context", "the context")[0]


def _points(pool: tuple[str, ...], many: int, a: str, b: str, dice: Dice) -> list[str]:
    return [point.replace("{a}", a).replace("{b}", b) for point in dice.shuffled(pool)[:many]]


def _say(pool: tuple[str, ...], a: str, b: str, dice: Dice) -> str:
    return dice.pick(pool).replace("{a}", a).replace("{b}", b)


def _requirements(subject: Subject, dice: Dice) -> str:
    """How each further sentence of the instruction was taken up; empty where there is only one."""
    sentences = [
        part
        for part in subject.head.replace("? ", "?. ").split(". ", _MOST_REQUIREMENTS)[1:]
        if len(part) > _FEWEST_LETTERS and part[0].isupper()
    ]
    if not sentences:
        return ""
    notes = dice.sample(speech.REQUIREMENT_NOTES, len(sentences))
    lines = [
        f'- "{sentence.rstrip(" .:")}": {note}.' for sentence, note in zip(sentences, notes, strict=True)
    ]
    return "\n\nWhat was asked besides:\n" + "\n".join(lines)


def _outline(subject: Subject, a: str, b: str, dice: Dice) -> str:
    shape = dice.roll(16)
    if shape == 0 and len(subject.text) < _READ:
        return _say(speech.ONE_LINERS, a, b, dice)
    points = _points(speech.POINTS, 2 + dice.roll(7), a, b, dice)
    if shape < 6:
        body = "\n".join(f"{number}. {point}" for number, point in enumerate(points, 1))
    elif shape < 8:
        headings = dice.sample(speech.HEADINGS, len(points))
        rows = "\n".join(f"| {heading} | {point} |" for heading, point in zip(headings, points, strict=True))
        body = f"| Part | What to do |\n|---|---|\n{rows}"
    elif shape < 12:
        body = " ".join(points)
    else:
        body = "\n".join(f"- {point}" for point in points)
    closing = f"\n\n{_say(speech.CLOSINGS, a, b, dice)}" if dice.roll(2) else ""
    opening = _say(speech.OPENINGS, a, b, dice)
    return f"{opening}\n\n{body}{_requirements(subject, dice)}{closing}"


def _list(subject: Subject, a: str, b: str, dice: Dice) -> str:
    items = _points(speech.LIST_ITEMS, 3 + dice.roll(6), a, b, dice)
    listed = "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))
    opening = f"{_say(speech.OPENINGS, a, b, dice)}\n\n" if dice.roll(3) else ""
    return f"{opening}{listed}{_requirements(subject, dice)}"


def _calculation(subject: Subject, a: str, b: str, dice: Dice) -> str:
    numbers = _NUMBERS(subject.text[:_READ])
    given = ", ".join(numbers[:8]) if numbers else "no figures, so letters stand for them"
    steps = [
        f"Given: {given}.",
        f'Wanted: what the question calls "{a}".',
        f'Relation: write down the rule that connects "{a}" and "{b}".',
        "Insert the figures with their units and simplify.",
        "Round only at the very end.",
        "Check: put the result back into the relation, or compare it with a rough estimate.",
    ]
    many = 3 + dice.roll(4)
    body = "\n".join(f"Step {number}. {step}" for number, step in enumerate(steps[:many], 1))
    opening = f"{_say(speech.OPENINGS, a, b, dice)}\n\n" if dice.roll(2) else ""
    return f"{opening}{body}{_requirements(subject, dice)}"


_FORMS = {
    "verse": ("poem", "haiku", "song", "sonnet", "lyrics", "limerick"),
    "letter": ("letter", "email", "e-mail"),
    "story": ("story", "tale", "fable", "scene", "diary", "novel", "fiction"),
}


def _form(opening: str) -> str:
    """The form of writing that is named first; empty if none is."""
    places = ((opening.find(cue), form) for form, cues in _FORMS.items() for cue in cues)
    return min((place for place in places if place[0] >= 0), default=(0, ""))[1]


def _piece(subject: Subject, a: str, b: str, dice: Dice) -> str:
    form = _form(subject.opening.lower())
    if form == "verse":
        start = 2 * dice.roll(4)
        lines = speech.POEM_LINES[start : start + 4 + 2 * dice.roll(5)]
        return "\n".join(lines).replace("{a}", a).replace("{b}", b)
    if form == "letter":
        points = " ".join(_points(speech.POINTS, 2 + dice.roll(4), a, b, dice))
        name, besides = dice.pick(SLOTS["name"]), _requirements(subject, dice)
        return f'Dear reader,\n\nI am writing to you about "{a}". {points}\n\nWith kind regards,\n{name}{besides}'
    return _story(a, b, dice) if form == "story" else _outline(subject, a, b, dice)


def _story(a: str, b: str, dice: Dice) -> str:
    middles = _points(speech.STORY_MIDDLES, 1 + dice.roll(5), a, b, dice)
    parts = (_say(speech.STORY_BEGINNINGS, a, b, dice), *middles, _say(speech.STORY_ENDINGS, a, b, dice))
    story = "\n\n".join(parts)
    for slot in ("name", "place", "object"):
        story = story.replace(f"{{{slot}}}", dice.pick(SLOTS[slot]))
    return story[0].upper() + story[1:]


_CODE_LEADS = (
    "One way to do it:",
    "Here is a small solution that favours clarity:",
    "The core fits into one function:",
    "I would begin with this:",
    "A direct version, to be extended as needed:",
    "The following handles the usual cases:",
    "Kept short on purpose:",
    "In Python, this can look as follows:",
)
_SKETCH_LEADS = (
    "A skeleton to begin with, with its checks in place:",
    "The structure first; the rule of the task goes where the name says:",
    "Here is a frame for it, ready to be filled in:",
    "I would lay it out like this before adding the details:",
    "As a starting point:",
    "An outline in code, small enough to test at once:",
)
_PYTHON_FIRST = (
    "In Python first, as it reads almost like pseudocode:",
    "The logic in Python, to be carried over line by line:",
    "Here it is in Python; the structure stays the same in the language you asked for:",
)
_OTHER_LANGUAGES = (
    "c++",
    "c#",
    "java ",
    "typescript",
    "rust",
    " go ",
    "ruby",
    "kotlin",
    "php",
    "swift",
    "scala",
)
_TESTS = (
    "Test it with an empty input, a single entry, and a large one.",
    "The first test should be the example from the task.",
    "Invalid input is best refused early, with the offending value in the message.",
    "If speed matters, measure before changing anything.",
    "Names and limits are meant to be adapted.",
)


def _code(subject: Subject, dice: Dice) -> str:
    foreign = foreign_sketch(subject, dice)
    known = None if foreign else program_for(subject.opening.lower())
    if foreign:
        language, code = foreign
        lead, note = dice.pick(_SKETCH_LEADS), ""
    elif known:
        language, code, note = "python", known.code, known.note + " "
        lead = dice.pick(_CODE_LEADS)
    else:
        language, code, note = "python", sketch(subject, dice), ""
        lead = dice.pick(_SKETCH_LEADS)
    if not foreign and any(name in subject.opening.lower() for name in _OTHER_LANGUAGES):
        lead = dice.pick(_PYTHON_FIRST)
    tail = f"\n\n{note}{dice.pick(_TESTS)}" if dice.roll(4) else ""
    return f"{lead}\n\n```{language}\n{code}\n```{tail}{_requirements(subject, dice)}"


def _cjk(subject: Subject, dice: Dice) -> str:
    terms = key_terms(subject)
    japanese = subject.language == "ja"
    empty = ("このテーマ", "背景") if japanese else ("主题", "背景")
    a, b = (*terms, empty[0])[0], (*terms[1:], empty[1])[0]
    openings = speech.JAPANESE_OPENINGS if japanese else speech.CHINESE_OPENINGS
    opening = _say(openings, a, b, dice)
    points = _points(
        speech.JAPANESE_POINTS if japanese else speech.CHINESE_POINTS, 2 + dice.roll(5), a, b, dice
    )
    body = "\n".join(f"{number}. {point}" for number, point in enumerate(points, 1))
    if subject.kind == "code":
        body = f"```python\n{sketch(subject, dice)}\n```\n\n{body}"
    closing = "\n\n" + dice.pick(speech.JAPANESE_CLOSINGS) if japanese and dice.roll(2) else ""
    return f"{opening}\n\n{body}{closing}"
