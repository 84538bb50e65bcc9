"""What a server says when it refuses a parameter, in any of the shapes that servers say it in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

ALIASES: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile(rf"(?<![a-z0-9_])(?:{pattern})(?![a-z0-9_])", re.IGNORECASE)
    for name, pattern in (
        ("temperature", "temperature"),
        ("top_p", "top[_ -]?p"),
        ("frequency_penalty", "frequency[_ -]?penalty"),
        (
            "max_tokens",
            "max(?:imum)?[_ -]?(?:output[_ -]?|new[_ -]?|completion[_ -]?)?tokens|num_predict",
        ),
        ("reasoning_effort", r"reasoning[_. -]?effort|output_config\.effort|effort"),
    )
}
"""Our own parameters, each under the names that servers know it by."""

_WHOLE: Final = frozenset({"unsupported_parameter", "unknown_parameter", "extra_forbidden"})
_NAMING: Final = frozenset({"param", "parameter", "field", "loc", "location", "property", "argument"})
_ECHOES: Final = frozenset({"input", "messages", "prompt", "body", "request"})
"""Fields in which a server repeats what it was sent; the words of an instruction are not the server's."""

_ABOUT_TEXT: Final = frozenset({"messages", "prompt", "input", "content", "model", "contents"})
_OF_VALUE: Final = re.compile(
    r"\bvalues?\b|must be|range|at (?:most|least)|(?:less|lower|greater|more|larger|smaller) than|positive|between|"
    r"[<>≤≥]|maximum|minimum|too (?:large|high|big|small|low)|exceed|up to|limit|only supports?",
    re.IGNORECASE,
)
_OF_CONTEXT: Final = re.compile(
    r"context length|maximum context|in the messages|(?:input|prompt) tokens|(?:your|the) (?:prompt|messages|request) "
    r"|`inputs` tokens",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"(?<![\w.\-])\d[\d,_]*(?:\.\d+)?(?![\w])(?!\.\d|-\w)")
_BELOW: Final = re.compile(r"exclusive|(?:less|lower|smaller) than(?! or equal)", re.IGNORECASE)
_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Refusal:
    """A 400 or 422: the server's words, the code, and what its fields name.

    ``words`` are everything it says but echoes of what it was sent.
    """

    words: str
    code: str | None = None
    fields: tuple[str, ...] = ()

    def named(self, sent: Mapping[str, object]) -> tuple[list[str], bool]:
        """Return which of the parameters in ``sent`` are meant, and whether a field says so rather than a sentence."""
        by_field = [name for name in sent if any(ALIASES[name].search(each) for each in self.fields)]
        if by_field:
            return by_field, True
        if any(each.partition(".")[0] in _ABOUT_TEXT for each in self.fields):
            return [], False
        return [name for name in sent if ALIASES[name].search(self.words)], False

    @property
    def whole(self) -> bool:
        """Whether the parameter is not taken at all, rather than its value."""
        return self.code in _WHOLE or (self.code != "unsupported_value" and not _OF_VALUE.search(self.words))

    @property
    def renames(self) -> bool:
        """Whether the server may know the limit of tokens by its newer name only."""
        return (self.whole or "max_completion_tokens" in self.words) and not _OF_CONTEXT.search(self.words)

    def limit(self, sent: float) -> float | None:
        """Return the most that the words allow, below ``sent``; ``None`` where they name nothing of the kind.

        What is left of a context beside one prompt is no limit of the parameter's.
        """
        if not _OF_VALUE.search(self.words) or _OF_CONTEXT.search(self.words):
            return None
        numbers = [float(each.replace(",", "").replace("_", "")) for each in _NUMBER.findall(self.words)]
        below = [number for number in numbers if 0 < number < sent]
        if below:
            most = max(below)
            return most - 1 if most > 1 and most.is_integer() and _BELOW.search(self.words) else most
        if sent in numbers and sent > 1 and _BELOW.search(self.words):
            return sent - 1
        return None


def read_refusal(said: object, *, code: object = None, param: object = None) -> Refusal:
    """Read an error's body: an object, a list, text, or FastAPI's ``detail`` with its ``loc``.

    ``code`` and ``param`` are whatever the server has put there: texts, lists of them, or anything else.
    """
    words: list[str] = []
    fields = [text for _, text in _texts(param)]
    codes = [text for _, text in _texts(code)]
    for key, text in _texts(said):
        if key in _NAMING:
            fields.append(text)
        elif key in ("code", "type"):
            codes.append(text)
        words.append(text)
    found = next((each for each in codes if each in _WHOLE or each == "unsupported_value"), None)
    return Refusal("\n".join(words), found or (codes[0] if codes else None), tuple(fields))


def _texts(said: object, key: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, str]]:
    """Yield every text of a body with the field it stands in."""
    if isinstance(said, str):
        yield key, said
    elif depth and isinstance(said, Mapping):
        for field, value in said.items():
            if field not in _ECHOES:
                yield from _texts(value, str(field), depth - 1)
    elif depth and isinstance(said, list | tuple):
        for value in said:
            yield from _texts(value, key, depth - 1)
