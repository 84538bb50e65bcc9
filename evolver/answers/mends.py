"""What to do about a provider that answers with an error, in one sentence: the address, the key, the account, the name.

The cause is told by status, code and address, never by the words of the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from evolver.quoting import public_url

_VERSION = re.compile(r"/v\d+\w*(?=/|$)")
_DOUBLED = re.compile(r"(/v\d+\w*)\1(?=/|$)")
_NO_MODEL = frozenset({"model_not_found", "model_decommissioned"})
_NO_MONEY = frozenset(
    {
        "billing_error",
        "billing_hard_limit_reached",
        "billing_not_active",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "insufficient_quota",
        "linked_organization_spend_limit_reached",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: ``base`` as the user may write it, the ``path`` behind it, the model's name there.

    ``key`` is the variable that the key comes from; ``keyed`` says whether it holds one.
    """

    base: str
    path: str
    model: str
    key: str | None = None
    keyed: bool = True

    @property
    def url(self) -> str:
        """The whole address, without what must not be shown."""
        return public_url(self.base) + self.path


def mend(status: int, code: str | None, asked: Asked | None) -> str:
    """Say what to do about an answer that stops a run; empty where nothing more is known than the answer says."""
    if code in _NO_MONEY or status == 402:
        return "Top up the account, or lift its limit."
    if status == 401 or code == "invalid_api_key":
        return _key(asked)
    if status == 403:
        return "The account may not use it: look at the key's rights, the model's terms and the region."
    if status in (404, 405, 410, 426) or code in _NO_MODEL:
        return "" if asked is None else _address(asked, code)
    return ""


def address_mend(asked: Asked) -> str:
    """Say what is wrong with the address that was asked; empty where it looks right."""
    base = public_url(asked.base)
    whole = base + asked.path
    doubled = _DOUBLED.search(urlsplit(whole).path)
    if base.endswith(("/chat/completions", "/messages", "/completions", "/responses")):
        right = base[: -len(asked.path)] if base.endswith(asked.path) else base.rsplit("/", 1)[0]
        right = right.removesuffix("/chat")
        return f"{asked.path} is added to the base URL, which already ends so: write {right}."
    if doubled is not None:
        part = doubled[1]
        return f"{part} is in it twice: write {_without(base, part, asked.path)} as the base URL."
    if not _VERSION.search(urlsplit(whole).path):
        return f"The base URL may lack /v1: try {base}/v1."
    return ""


def _without(base: str, part: str, path: str) -> str:
    """Take one of two equal parts out of an address; Anthropic's path brings its own."""
    twice = part + part
    return (
        base.replace(twice, part, 1)
        if twice in base and not path.startswith(part)
        else base.removesuffix(part)
    )


def _address(asked: Asked, code: str | None) -> str:
    where = f"Asked was POST {asked.url}."
    wrong = address_mend(asked)
    if wrong and code not in _NO_MODEL:
        return f"{where} {wrong}"
    return (
        f"{where} If that is the right address, the server has no model {asked.model!r}: "
        "see what it lists under /models."
    )


def _key(asked: Asked | None) -> str:
    if asked is None or asked.key is None:
        return "Look at the key in the environment."
    if not asked.keyed:
        return f"The server wants a key: export {asked.key}."
    return f"Look at the key in {asked.key}, and whether it belongs to {public_url(asked.base)}."
