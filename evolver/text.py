"""Small functions over text that the whole engine shares; each costs microseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_MAX_LAYERS: Final = 20  # wrappings around wrappings; bounds the work on hostile text

_QUOTES: Final = {
    '"': '"',
    "'": "'",
    "“": "”",
    "‘": "’",
    "„": "“",
    "«": "»",
    "「": "」",
    "『": "』",
}
_BEFORE_OPENING: Final = frozenset("([{:=-/,")
_AFTER_CLOSING: Final = frozenset(".,;:!?)]}-/")

_FENCE: Final = re.compile(r"(?P<fence>`{3,}|~{3,})[^\n`~]*\n(?P<inside>.*?)(?P=fence)", re.DOTALL)
_FENCE_LINE: Final = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
_SPAN: Final = re.compile(r"```(?P<inside>[^`\n]+)```")
_BLANK_LINES: Final = re.compile(r"(?:[^\S\n]*\n)+")

# The inside of a character class: Han, kana and hangul. Characters that only modify the one before them (voicing
# marks, the vowels and finals of decomposed hangul) are not among them.
_CJK_SIGNS: Final = (
    "\u1100-\u115f\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3131-\u318e"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9d\uffa0-\uffdc"
    "\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_MODIFIER: Final = "\u1160-\u11ff\u3099\u309a\ud7b0-\ud7fb\uff9e\uff9f"
CJK: Final = re.compile(f"[{_CJK_SIGNS}]")
# Characters that a terminal obeys instead of showing: C0 (but for tab and line feed), DEL, C1, what turns the direction
# of writing, halves of characters and what is no character. C0 becomes Unicode's pictures of control characters,
# everything else a replacement character.
_HARMFUL: Final = (
    {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)}
    | {0x7F: 0x2421}
    | dict.fromkeys(
        (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000)), 0xFFFD
    )
    | dict.fromkeys((0xFFFE, 0xFFFF), 0xFFFD)
)

# Behind http:// the name is as secret as the password: tokens stand there. A database's user is not.
_HTTP_USER: Final = re.compile(r"(https?://)([^\s/@]+)@", re.IGNORECASE)
_PASSWORD: Final = re.compile(r"(?<!http)(?<!https)(://[^\s/@:]*:)(\S+)@", re.IGNORECASE)
_SECRET_FIELD: Final = re.compile(
    r"([?&;][^\s=&#?]*(?:password|passwd|secret|token|key|signature|sig|auth)=)([^\s&#'\"]+)", re.IGNORECASE
)

_WORD: Final = re.compile(rf"[^\w\s]*[{_CJK_SIGNS}](?:[{_MODIFIER}]|[^\w\s])*|[^\s{_CJK_SIGNS}]+")


class Urgent(str):
    """A notice that a user is to read even where nothing but errors is said."""

    __slots__ = ()


def unwrap(text: str, *labels: str) -> str:
    """Take off what a model puts around the text it was asked for; the inside stays byte for byte.

    Off go, in whatever order they wrap: outer white space; one of ``labels`` at the very start, in any case
    (``#Rewritten Prompt#:``, ``**Rewritten Prompt:**``, ``Rewritten Prompt (it MUST contain …):``); a code
    fence around the WHOLE text, whatever its info string; quotes around the WHOLE text.

    Edges: ``"a" and "b"`` keeps its quotes, and a text of several fences keeps them all. A label in plain
    words needs its colon, or a line of its own: "Rewritten prompts are…" is a sentence. The first line inside
    a fence keeps its indentation. Beyond that, unwrapping twice is unwrapping once.

    Args:
        text: A completion.
        labels: The words of the labels the prompt ends with, such as ``"Rewritten Prompt"``.
    """
    inner = text.strip()
    label = _label_pattern(labels) if labels else None
    kept = inner
    for _ in range(_MAX_LAYERS):
        if label is not None and (echoed := label.match(inner)):
            kept = inner[echoed.end() :]
        elif (fenced := _without_fence(inner)) is not None:
            kept = fenced
        elif (quoted := _without_quotes(inner)) is not None:
            kept = quoted.strip()
        else:
            break
        inner = kept.strip()
        if label is not None and echoed:
            kept = inner
    return kept


def fold(text: str) -> str:
    """Return the form in which two texts are equal whatever their case and white space."""
    return " ".join(text.casefold().split())


def count_words(text: str) -> int:
    """Count words: runs of non-space characters, and every CJK, kana or hangul character by itself.

    Punctuation next to such a character counts with it: ``申し訳。`` has three words, ``Python が好き`` four.
    """
    if text.isascii() or not CJK.search(text):
        return len(text.split())
    return len(_WORD.findall(text))


def harmless(text: str) -> str:
    """Return ``text`` with every control character but tab and line feed made visible instead of obeyed.

    So do the characters that turn the direction of writing; a carriage return before a line feed is dropped. Whatever
    came from outside (texts, names, messages of providers) passes through here before it reaches a terminal.
    """
    return text.replace("\r\n", "\n").translate(_HARMFUL)


def one_line(text: str) -> str:
    """Return ``text`` harmless and on one line, each run of white space a single space."""
    return harmless(" ".join(text.split()))


def without_passwords(text: str) -> str:
    """Return a text with ``***`` for the passwords and keys that stand in its URLs."""
    if "://" not in text:
        return text
    for pattern, instead in ((_HTTP_USER, r"\1***@"), (_PASSWORD, r"\1***@"), (_SECRET_FIELD, r"\1***")):
        text = pattern.sub(instead, text)
    return text


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords and keys that stand in the URLs of a text, as they stand and without percent signs."""
    if "://" not in text:
        return
    from urllib.parse import unquote  # few texts hold one, and help pages are made without it

    for pattern in (_HTTP_USER, _PASSWORD, _SECRET_FIELD):
        for found in pattern.finditer(text):
            name, _, password = found[2].partition(":")
            for secret in (found[2], password, *([] if password else [name])):
                yield secret
                yield unquote(secret)


def mended(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and neither UTF-8 nor a database can, by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


@lru_cache(maxsize=256)
def _label_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    """Match one of ``labels`` at the start of a text, in the dress models put it in."""
    names = (r"\s+".join(map(re.escape, label.strip("#*_: ").split())) for label in labels)
    name = f"(?:{'|'.join(names)})"
    remark = r"(?:\s*\([^\n]{0,200}?\))?"  # "(it MUST contain a table)"
    return re.compile(
        rf"""
        [\#>\ \t]*
        (?:
            (?P<mark>\*{{1,3}}|_{{1,3}}) [\#\ \t]* {name} [\#\ \t]* {remark} \s*[:：]?\s* (?P=mark)
            {remark} \s*[:：]?
          | {name} [\#\ \t]* {remark} [\#\ \t]* [:：]
          | {name} [\ \t]* \#+ (?=\s|$)
          | {name} [\ \t]* (?=\n|$)
        )
        """,
        re.IGNORECASE | re.VERBOSE,
    )


def _without_fence(text: str) -> str | None:
    """Return the inside of the fence around the whole of ``text``, from its first full line on."""
    if not text.startswith(("```", "~~~")):
        return None
    if span := _SPAN.fullmatch(text):
        return span["inside"].strip()
    match = _FENCE.fullmatch(text)
    if match is None:
        return None
    inside, fence = match["inside"], match["fence"]
    if inside and not inside.endswith("\n"):
        return None
    if any(len(line.group().strip()) >= len(fence) for line in _FENCE_LINE.finditer(inside)):
        return None
    blank = _BLANK_LINES.match(inside)
    return inside[blank.end() if blank else 0 :].rstrip()


def _without_quotes(text: str) -> str | None:
    """Return the inside of the quotes around the whole of ``text``; ``None`` if no pair wraps it."""
    closing = _QUOTES.get(text[:1])
    if closing is None or len(text) < 2 or not text.endswith(closing):
        return None
    opening, inside = text[0], text[1:-1]
    if opening not in inside and closing not in inside:
        return inside
    depth = 0
    for place, character in enumerate(inside):
        if character not in (opening, closing):
            continue
        before, after = inside[place - 1 : place], inside[place + 1 : place + 2]
        if character in "'’" and before.isalnum() and after.isalnum():
            continue  # an apostrophe
        step = _direction(before, after) if opening == closing else (1 if character == opening else -1)
        depth += step
        if step == 0 or depth < 0:
            return None
    return inside if depth == 0 else None


def _direction(before: str, after: str) -> int:
    """Tell whether a straight quote opens (1) or closes (-1) between two characters; 0 if nobody can tell."""
    if (not before or before.isspace() or before in _BEFORE_OPENING) and after.isalnum():
        return 1
    if before and not before.isspace() and (not after or after.isspace() or after in _AFTER_CLOSING):
        return -1
    return 0
