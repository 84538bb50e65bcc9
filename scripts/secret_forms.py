"""Secrets to send in, the forms in which a server may repeat them, and how they are found in what is left behind."""

from __future__ import annotations

import base64
import html
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from urllib.parse import quote as percent
from urllib.parse import unquote

PART = 12
"""So many signs of a secret in a row, in any form, count as found."""


def drawn(rng: Random) -> str:
    """Return a secret as keys look: ``sk-`` and 20 to 60 signs, a digit and a letter among them."""
    signs = string.ascii_letters + string.digits + rng.choice(("", "-_", "-_+/=.~"))
    return "sk-" + "".join(rng.choices(signs, k=rng.randint(18, 58))) + rng.choice("aZ") + rng.choice("07")


def _cut(key: str) -> str:
    return key[:-3]


FORMS: Mapping[str, Callable[[str], str]] = {
    "plain": str,
    "upper case": str.upper,
    "percent": lambda key: "".join(f"%{ord(sign):02x}" for sign in key),
    "percent where needed": lambda key: percent(key, safe=""),
    "percent twice": lambda key: percent(percent(key, safe=""), safe=""),
    "json": lambda key: "".join(f"\\u{ord(sign):04x}" for sign in key),
    "json in json": lambda key: "".join(f"\\\\u{ord(sign):04x}" for sign in key).replace("\\\\", "\\u005c"),
    "hex escapes": lambda key: "".join(f"\\x{ord(sign):02x}" for sign in key),
    "html": lambda key: "".join(f"&#{ord(sign)};" for sign in key),
    "html, hex": lambda key: "".join(f"&#x{ord(sign):x};" for sign in key),
    "hex": lambda key: key.encode().hex(),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of a header": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "base64 for addresses": lambda key: base64.urlsafe_b64encode(f"Bearer: {key}.".encode()).decode(),
    "split by blanks": " ".join,
    "split by lines": lambda key: f"{key[:9]}\r\n\t{key[9:]}",
    "split by nothing": lambda key: "\u200b".join(key),
    "cut behind": _cut,
    "cut in front": lambda key: key[7:],
    "cut at both ends": lambda key: key[4:18],
}


@dataclass(frozen=True)
class Secret:
    """A secret, and by which door it went in."""

    value: str
    door: str

    def pieces(self) -> Iterator[str]:
        """Yield, in lower case, every stretch that gives it away: 12 signs, as they are, in hex, in base64."""
        value = self.value.removeprefix("sk-")
        yield from _stretches(value, PART)
        yield from _stretches(value.encode().hex(), 2 * PART)
        for before in range(3):
            data = b"\0" * before + value.encode()
            whole = base64.b64encode(data)[4 * (before > 0) :].decode().rstrip("=")[:-1]
            for form in {whole, whole.translate(str.maketrans("+/", "-_"))}:
                yield from _stretches(form, 16)


def _stretches(text: str, size: int) -> Iterator[str]:
    low = text.lower()
    return (low[at : at + size] for at in range(len(low) - size + 1))


def views(content: bytes) -> Iterator[str]:
    """Yield some bytes as a reader would see them: as they are, without white space, decoded up to three times."""
    text = content.decode("utf-8", "replace").lower()
    for _ in range(4):
        yield text
        yield "".join(text.split()).replace("\u200b", "")
        decoded = _decoded(text)
        if decoded == text:
            return
        text = decoded


def _decoded(text: str) -> str:
    for pattern in (r"\\u([0-9a-f]{4})", r"\\x([0-9a-f]{2})"):
        text = re.sub(pattern, lambda found: chr(int(found[1], 16)), text)
    return html.unescape(unquote(text, errors="replace")).lower()


def found_in(content: bytes, secrets: Iterable[Secret]) -> list[Secret]:
    """Return the secrets of which a part is in some bytes."""
    seen = list(views(content))
    return [secret for secret in secrets if any(_holds(text, secret) for text in seen)]


def _holds(text: str, secret: Secret) -> bool:
    return any(piece in text for piece in secret.pieces())
