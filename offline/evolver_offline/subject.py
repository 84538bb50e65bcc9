"""Reads an instruction as far as rules can: its kind, its language, and where its data begins."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal[
    "code",
    "translation",
    "classify",
    "edit",
    "maths",
    "data",
    "list",
    "writing",
    "piece",
    "question",
    "general",
]
Language = Literal["en", "ja", "zh"]

_READ = 240  # characters of an instruction that decide its kind: what is asked stands at the beginning
_SHORT = 20  # characters; a shorter first sentence is a greeting or a label
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).islower()}
_KANA = re.compile("[\u3040-\u30ff]").search
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]").findall
_CJK_SHARE = 3  # one character in three: an English task about a Japanese word stays English


def words_in(text: str) -> frozenset[str]:
    """The words of a list written as a sentence."""
    return frozenset(text.split())


_CODE = words_in(
    "query python javascript typescript java sql mysql html css php ruby bash regex algorithm code array json xml api "
    "compiler golang refactor rust swift kotlin jquery django pandas numpy mongodb programming coding"
)
_HALF_CODE = words_in(
    "function program script class variable loop string list method object element integer returns query "
    "database recursive parameter terminal command tree node input output git linux shell"
)
_TO_WRITE = words_in("function program method query")
_HOW_MANY, _HOW_MUCH = words_in("how many"), words_in("how much")
_WRITTEN_BY = words_in("write implement print returns")
_KINDS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("translation", words_in("translate translation translated")),
    (
        "classify",
        words_in(
            "classify categorize categorise classification sentiment detect label identify determine decide"
        ),
    ),
    (
        "edit",
        words_in(
            "edit rewrite rephrase paraphrase correct fix grammar grammatical summarize summarise shorten reword "
            "convert transform simplify proofread rearrange replace punctuate insert delete reorder edited "
            "restate revise unscramble"
        ),
    ),
    (
        "maths",
        words_in(
            "calculate compute equation triangle integral derivative polynomial multiply probability perimeter "
            "fraction arithmetic prove km mph litres theorem hypotenuse quadratic median factorize simplify"
        ),
    ),
    ("data", words_in("table spreadsheet dataset csv chart dashboard rows columns")),
    (
        "writing",
        words_in(
            "story poem haiku song sonnet lyrics limerick fable tale scene diary dialogue fiction novel riddle"
        ),
    ),
    (
        "piece",
        words_in(
            "write compose essay article letter email speech blog slogan tweet draft paragraph script headline "
            "caption advertisement recipe report review summary announcement message memo"
        ),
    ),
    (
        "list",
        words_in("list suggest name brainstorm ideas tips examples five ten recommend items outline"),
    ),
    (
        "question",
        words_in(
            "what why how who when where which explain describe compare discuss analyze analyse evaluate"
        ),
    ),
)
_JAPANESE_KINDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("code", ("コード", "プログラム", "関数", "Python", "SQL", "代码", "函数", "编程")),
    ("translation", ("翻訳", "訳して", "翻译")),
    ("edit", ("書き直", "要約", "校正", "直して", "改写", "修改", "总结")),
    ("classify", ("分類", "判定", "分类", "判断")),
    ("maths", ("計算", "求めなさい", "求めよ", "计算")),
    ("writing", ("物語", "手紙", "メール", "俳句", "書いて", "作文", "写一", "故事")),
)
_DANGLING = words_in("a an the of to and or with in for by from on as at is are")
_INLINE = ("following", "this ", "these ", "given ", "below")
_CODE_STARTS = ("```", "<", "{", "[", "#!", "|", "def ", "import ", "SELECT ", "CREATE ")


class Subject(NamedTuple):
    """An instruction taken apart.

    ``text`` is always ``head + body``: the head asks, the body is the data or code that comes with it (empty,
    or from a line end on). ``opening`` is the first sentence of the head; ``inline`` says that the head itself
    ends with data, after a colon.
    """

    text: str
    lowered: str
    head: str
    body: str
    opening: str
    kind: Kind
    language: Language
    inline: bool


def read(text: str) -> Subject:
    """Take an instruction apart; any text will do."""
    lowered = text.lower()
    head = text[: _head_end(text)]
    opening = _opening(head)
    language = _language(opening)
    kind = _english_kind(opening.lower()) if language == "en" else _cjk_kind(opening)
    return Subject(
        text, lowered, head, text[len(head) :], opening, kind, language, _has_inline_data(head, lowered)
    )


def _language(opening: str) -> Language:
    if opening.isascii() or len(_CJK(opening)) * _CJK_SHARE < len(opening):
        return "en"
    return "ja" if _KANA(opening) else "zh"


def _head_end(text: str) -> int:
    """Where the asking ends and the data begins: the first line end that does not cut a sentence."""
    if text.startswith(_CODE_STARTS):
        return len(text)
    end = text.find("\n")
    while end >= 0:
        words = text[:end].rsplit(None, 1)
        if words and words[-1].lower() not in _DANGLING:
            return end
        end = text.find("\n", end + 1)
    return len(text)


def _has_inline_data(head: str, lowered: str) -> bool:
    colon = head.find(": ")
    return colon > 0 and any(cue in lowered[:colon] for cue in _INLINE)


def _opening(head: str) -> str:
    """The first sentence: what is added later does not change what sort of instruction it is."""
    ends = [end for end in (head.find(mark, _SHORT, _READ) for mark in _SENTENCE_ENDS) if end > 0]
    return head[: min(ends) + 1 if ends else _READ]


def _english_kind(opening: str) -> Kind:
    words = set(opening.translate(_NO_LETTERS).split())
    if _is_code(words, opening):
        return "code"
    if words >= _HOW_MANY or words >= _HOW_MUCH:
        return "maths"
    for kind, cues in _KINDS:
        if not words.isdisjoint(cues):
            return kind
    return "question" if opening.rstrip().endswith("?") else "general"


def _is_code(words: set[str], opening: str) -> bool:
    if not words.isdisjoint(_CODE) or "c++" in opening or "c#" in opening:
        return True
    hints = words & _HALF_CODE
    return len(hints) > 1 or (bool(hints & _TO_WRITE) and not words.isdisjoint(_WRITTEN_BY))


def _cjk_kind(opening: str) -> Kind:
    for kind, cues in _JAPANESE_KINDS:
        if any(cue in opening for cue in cues):
            return kind
    return "general"


_SENTENCE_ENDS = (". ", "? ", "。", "？")
_ENDS = ".!?…。！？"


def with_sentence(subject: Subject, sentence: str) -> str:
    """Add a sentence to what is asked; every byte of the body stays as it is and where it is."""
    head, body = subject.head, subject.body
    if not head.strip() or head.startswith(_CODE_STARTS) or head.endswith(("}", ">", ";", "`")):
        return f"{subject.text}\n\n{sentence}"
    if subject.inline:
        after = " " if body.startswith("\n\n") and "\n" not in body[2:] and body[-1] in _ENDS else "\n\n"
        return f"{subject.text}{after}{sentence}"
    return closed(head, "" if subject.language != "en" else " ") + sentence + body


def closed(head: str, space: str = " ") -> str:
    """End a sentence so that another can follow: its full stop where it has none, then ``space``."""
    head = head.rstrip()
    last = head[-1:]
    if last in _ENDS or (last in "\"'”’)」』" and head[-2:-1] in _ENDS):
        return head + space
    if last in ":,;：、，-":
        head = head[:-1].rstrip()
    return head + (". " if space else "。")
