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
_SECRET_NAME = re.compile(
    r"(?:API_?KEY|ACCESS_KEY|SECRET_KEY|PRIVATE_KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|PASSWD|PAT)$",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})|\\u(?P<json>[0-9A-Fa-f]{4})|\\x(?P<hex>[0-9A-Fa-f]{2})"
    r"|\\(?P<plain>[\"'/\\])|(?P<blank>\\[nrtbf])|(?P<entity>&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|\w{2,8});)"
)
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
    parts = _parts(frozenset(_worth(secrets)) | frozenset(_worth(_from_environment(os.environ))))
    if not parts or not text:
        return text
    hidden = sorted(span for view in _views(text) for span in _spans(view, parts))
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


@lru_cache(maxsize=16)
def _parts(secrets: frozenset[str]) -> Mapping[int, frozenset[str]]:
    """The pieces that give a secret away, by their length, in lower case."""
    found: dict[int, set[str]] = {}
    for secret in secrets:
        for form in _forms(secret):
            size = min(len(form), _PART)
            pieces = found.setdefault(size, set())
            pieces.update(form[start : start + size] for start in range(len(form) - size + 1))
    return {size: frozenset(pieces) for size, pieces in found.items()}


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
