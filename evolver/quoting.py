"""One way to say what somebody else said: take out the secrets, then control characters, then cut.

Everything from outside passes here before it gets into a message, a terminal or a store: the words and codes of
providers, failures in files of results, exceptions of other packages. The order matters: a text that is cut
first may end in the middle of a key, which then is not found any more.
"""

from __future__ import annotations

import base64
import html
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from evolver.text import one_line, passwords_in

PLACE = "[key]"
"""What stands where a secret stood."""

_LONGEST = 300
_READ = 20_000
"""Characters of a text that are looked at; what is quoted of it is never so long."""

_PART = 12
"""So many characters of a secret in a row give it away, and are taken out wherever they stand."""

_SHORTEST = 8
_LONGEST_SECRET = 4_096
_SHORTEST_DRAWN = 16
_COMMON_START = re.compile(r"^(?:[a-z]{1,7}\d{0,2}[-_]){1,3}")
"""``sk-``, ``sk-ant-api03-``, ``hf_``: no secret, and found in texts about keys."""
_SECRET_NAME = re.compile(
    r"(?:API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|PASSWD|PAT)$",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"(?P<utf8>(?P<mark>%|\\x)[C-Fc-f][0-9A-Fa-f](?:(?P=mark)[89ABab][0-9A-Fa-f]){1,3})"
    r"|%(?P<percent>[0-9A-Fa-f]{2})|\\u(?P<json>[0-9A-Fa-f]{4})|\\x(?P<hex>[0-9A-Fa-f]{2})"
    r"|\\(?P<plain>[\"'/\\])|(?P<blank>\\[nrtbf])|(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|\w{2,8});)"
)
_BLANK = bytes([*range(0x21), 0x7F])
_LAYERS = 3
"""How often a text may have been encoded: JSON in JSON in an address."""

_VOWELS = frozenset("aeiouyAEIOUY")


def quote(said: object, *secrets: str, longest: int = _LONGEST) -> str:
    """Return what somebody said in one line of at most ``longest`` characters, without keys and control characters.

    Args:
        said: A text, or anything with one.
        secrets: Keys that are known besides those in the environment.
        longest: Characters; a longer text ends in an ellipsis.
    """
    # A lone surrogate goes neither to a terminal nor into a store.
    told = redact(str(said)[:_READ], *secrets).encode("utf-8", "replace").decode()
    line = one_line(told)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def redact(text: str, *secrets: str) -> str:
    """Put ``[key]`` where a secret stands in a text, whole or 12 characters of it.

    Found are the secrets given, the values of all variables of the environment whose names end in ``API_KEY``,
    ``TOKEN``, ``SECRET``, ``PASSWORD`` and the like, and the passwords of URLs in any variable: as they are, in any
    case, percent-, JSON-, HTML-, hex- or base64-encoded, and with white space between their characters. Texts of less
    than 8 characters, and single words such as ``none``, are no secrets.
    """
    return _redacted(text, frozenset(_worth((*secrets, *_from_environment(os.environ)))))


def without_keys(text: str, keys: Iterable[str]) -> str:
    """Put ``[key]`` where a model's completion repeats a key that it was asked with.

    Completions are data, so a key has to look like one: behind what all keys of its provider begin with, at least 16
    signs, a digit and a letter among them. Found are 12 signs of that, in the forms that :func:`redact` finds. Costs
    some 20 microseconds for a text of 2,000 signs that holds none.
    """
    return _redacted(text, _drawn(tuple(keys))) if text else text


@lru_cache(maxsize=16)
def _drawn(keys: tuple[str, ...]) -> frozenset[str]:
    """What of keys was drawn at random."""
    bare = (_COMMON_START.sub("", key.strip()) for key in keys)
    drawn = (key for key in bare if len(key) >= _SHORTEST_DRAWN and not (key.isalpha() or key.isdecimal()))
    return frozenset(_worth(drawn))


def _redacted(text: str, secrets: frozenset[str]) -> str:
    parts = _parts(secrets)
    if not (text and parts.pieces) or not any(parts.may_stand_in(tight) for tight in _tight_texts(text)):
        return text
    hidden = sorted(span for view in _views(text) for span in _spans(view, parts.pieces))
    return _without(text, hidden) if hidden else text


def public_url(url: str) -> str:
    """The address without user, password, query and fragment: fit to be shown and stored."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def is_secret_name(name: str) -> bool:
    """Tell whether a variable or field of that name holds a secret: ``OPENAI_API_KEY``, ``PGPASSWORD``."""
    return _SECRET_NAME.search(name) is not None


def _from_environment(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if is_secret_name(name):
            yield value
        else:
            yield from passwords_in(value)


def _worth(secrets: Iterable[str]) -> Iterator[str]:
    for secret in secrets:
        tight = "".join(secret.split())[:_LONGEST_SECRET]
        if len(tight) >= _SHORTEST and not _is_word(tight):
            yield tight


def _is_word(text: str) -> bool:
    """Tell a word of a language from letters drawn at random: it can be pronounced."""
    if not text.isalpha() or len(text) > 20 or not (text.islower() or text.isupper() or text.istitle()):
        return False
    runs = "".join(" " if character in _VOWELS else "c" for character in text).split()
    return max(map(len, runs), default=0) <= 4


@dataclass(frozen=True, slots=True)
class _Parts:
    """The pieces that give secrets away, by their length, in lower case; and what is inside them.

    Whatever the place of a piece of 12 signs in a text, one of the text's blocks of 6 lies wholly inside it, and two of
    its blocks of 4 bytes, which can be looked at as numbers. So most texts are known to hold none after a glance.
    """

    pieces: Mapping[int, frozenset[str]]
    halves: Mapping[int, frozenset[str]]
    words: frozenset[int]

    def may_stand_in(self, tight: bytes) -> bool:
        """Tell whether a piece may be in a text in lower case without white space; ``False`` is certain."""
        whole = len(tight) // 4 * 4
        if self.words.isdisjoint(memoryview(tight)[:whole].cast("I").tolist()):
            return False
        text = tight.decode("utf-8", "surrogatepass")
        return any(
            not halves.isdisjoint([text[at : at + size] for at in range(0, len(text) - size + 1, size)])
            for size, halves in self.halves.items()
        )


@lru_cache(maxsize=16)
def _parts(secrets: frozenset[str]) -> _Parts:
    found: dict[int, set[str]] = {}
    for secret in secrets:
        for form in _forms(secret):
            size = min(len(form), _PART)
            pieces = found.setdefault(size, set())
            pieces.update(form[start : start + size] for start in range(len(form) - size + 1))
    halves: dict[int, set[str]] = {}
    words: set[int] = set()
    for size, pieces in found.items():
        half = (size + 1) // 2
        for piece in pieces:
            halves.setdefault(half, set()).update(piece[at : at + half] for at in range(size - half + 1))
            data = piece.encode("utf-8", "surrogatepass")
            words.update(memoryview(data[at : at + 4]).cast("I")[0] for at in range(len(data) - 3))
    return _Parts(_frozen(found), _frozen(halves), frozenset(words))


def _frozen(sets: Mapping[int, set[str]]) -> Mapping[int, frozenset[str]]:
    return {size: frozenset(each) for size, each in sets.items()}


def _tight_texts(text: str) -> Iterator[bytes]:
    """What :func:`_views` shows, without the places; a hundred times as fast."""
    for layer in range(_LAYERS + 1):
        if layer:
            # A look for each sign is a hundred times as fast as the pattern.
            if not ("%" in text or "\\" in text or "&" in text):
                return
            text, count = _ENCODED.subn(_meant, text)
            if not count:
                return
        low = text.lower()
        if low.isascii():
            yield low.encode().translate(None, _BLANK)
        else:
            seen = (sign for sign in "".join(low.split()) if unicodedata.category(sign) not in ("Cc", "Cf"))
            yield "".join(seen).encode("utf-8", "surrogatepass")


def _forms(secret: str) -> Iterator[str]:
    """A secret as it is, in hex, and as it stands in base64 at any of three places."""
    data = secret.encode("utf-8", "surrogatepass")
    yield secret.lower()
    yield data.hex()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).rstrip(b"=").decode()
        # The characters at the ends also carry bits of what stands beside the secret.
        inner = whole[-(-before * 8 // 6) : len(whole) - (1 if (before + len(data)) % 3 else 0)].lower()
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


Characters = list[tuple[str, int, int]]
"""The characters of a text as a reader would decode it, each with the piece of the text that it comes from."""


def _views(text: str) -> Iterator[Characters]:
    """The text as it is, and with one, two, three layers of encoding taken off; without white space."""
    characters: Characters = [(character, at, at + 1) for at, character in enumerate(text)]
    yield _tight(characters)
    for _ in range(_LAYERS):
        decoded = _decoded(characters)
        if len(decoded) == len(characters):
            return
        characters = decoded
        yield _tight(characters)


def _tight(characters: Characters) -> Characters:
    return [
        (character.lower(), start, end)
        for character, start, end in characters
        if not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")
    ]


def _decoded(characters: Characters) -> Characters:
    text = "".join(character[0] for character, _, _ in characters)
    made: Characters = []
    last = 0
    for match in _ENCODED.finditer(text):
        made += characters[last : match.start()]
        start, end = characters[match.start()][1], characters[match.end() - 1][2]
        made += [(character, start, end) for character in _meant(match)]
        last = match.end()
    return made + characters[last:]


def _meant(match: re.Match[str]) -> str:
    if match["utf8"]:
        return bytes.fromhex(match["utf8"].replace(match["mark"], "")).decode(errors="replace")
    code = match["percent"] or match["json"] or match["hex"]
    if code:
        return chr(int(code, 16))
    if match["entity"]:
        return html.unescape(match["entity"])[:1]
    return match["plain"] or " "


def _spans(characters: Characters, parts: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, int]]:
    text = "".join(character[:1] for character, _, _ in characters)
    for size, pieces in parts.items():
        for at in range(len(text) - size + 1):
            if text[at : at + size] in pieces:
                yield characters[at][1], characters[at + size - 1][2]


def _without(text: str, hidden: list[tuple[int, int]]) -> str:
    kept: list[str] = []
    last = 0
    for start, end in hidden:
        if start >= last or not kept:
            kept += [text[last:start], PLACE]
        last = max(last, end)
    return "".join([*kept, text[last:]])
