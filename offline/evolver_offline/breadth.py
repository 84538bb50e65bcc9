"""Brand-new instructions of the same domain: patterns and vocabulary, thousands of combinations."""

from __future__ import annotations

from evolver_offline import ideas
from evolver_offline.dice import Dice
from evolver_offline.phrasebook import Phrase, addition, phrases
from evolver_offline.programs import program_for, sketch
from evolver_offline.reading import Method
from evolver_offline.subject import Kind, Subject, read, with_sentence
from evolver_offline.words import CJK_FEW, DOMAIN_CUES, TOPICS

_LONG = 160  # characters; a longer instruction gets a longer one in its place
_MOST_EXTRAS = 4
_METHODS: tuple[Method, ...] = ("constraints", "deepen", "concretize", "reasoning")

_DOMAIN_PATTERNS = {
    sort: {
        domain: phrases(text, topic=topics)
        for domain, topics in (*TOPICS.items(), ("", sum(TOPICS.values(), ())))
    }
    for sort, text in (("prose", ideas.QUESTIONS), ("writing", ideas.WRITING))
}
_PATTERNS: dict[Kind, tuple[Phrase, ...]] = {
    "code": phrases(ideas.CODE, **ideas.CODE_SLOTS),
    "maths": phrases(ideas.MATHS, **ideas.MATHS_SLOTS),
    "translation": phrases(ideas.TRANSLATION, **ideas.TEXT_SLOTS),
    "classify": phrases(ideas.CLASSIFY, **ideas.TEXT_SLOTS),
    "edit": phrases(ideas.EDIT, **ideas.TEXT_SLOTS),
    "data": phrases(ideas.DATA, **ideas.TEXT_SLOTS),
}
_PYTHON_PROBLEMS = phrases(ideas.CODE, **{**ideas.CODE_SLOTS, "language": ("Python",)})
_JAPANESE = phrases(ideas.JAPANESE, **ideas.JAPANESE_SLOTS, few=CJK_FEW)
_JAPANESE_CODE = phrases(ideas.JAPANESE_CODE, **ideas.JAPANESE_SLOTS, few=CJK_FEW)
_CHINESE = phrases(ideas.CHINESE, **ideas.CHINESE_SLOTS, few=CJK_FEW)


def new_instruction(subject: Subject, dice: Dice) -> str:
    """Make up an instruction of the same sort, rarer, and of about the same length."""
    text = _drawn(subject, dice)
    if text == subject.text:
        text = _drawn(subject, dice)
    extras = min(_MOST_EXTRAS, len(subject.text) // _LONG)
    for _ in range(extras):
        made = read(text)
        method = dice.pick(_METHODS)
        text = with_sentence(made, addition(method, made, dice))
    return text


def _drawn(subject: Subject, dice: Dice) -> str:
    return dice.pick(_patterns(subject)).fill(dice)


def _patterns(subject: Subject) -> tuple[Phrase, ...]:
    kind = subject.kind
    if subject.language == "ja":
        return _JAPANESE_CODE if kind == "code" else _JAPANESE
    if subject.language == "zh":
        return _CHINESE
    if kind in _PATTERNS:
        return _PATTERNS[kind]
    return _DOMAIN_PATTERNS["writing" if kind in ("writing", "piece") else "prose"][_domain(subject.lowered)]


def _domain(lowered: str) -> str:
    """The first domain a word of the instruction gives away; all domains where none does."""
    for word in lowered[:_LONG].split():
        domain = DOMAIN_CUES.get(word.strip(".,:;?!\"'"))
        if domain:
            return domain
    return ""


def coding_problem(dice: Dice) -> str:
    """Make up a Python problem with its solution, in the two sections of OSS-Instruct."""
    task = dice.pick(_PYTHON_PROBLEMS).fill(dice)
    known = program_for(task.lower())
    code = known.code if known else sketch(read(task), dice)
    return f"[Problem Description]\n{task}\n\n[Solution]\n```python\n{code}\n```"
