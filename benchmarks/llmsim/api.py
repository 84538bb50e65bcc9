"""What both simulated APIs have in common: a question, an answer, a refusal to serve, and who translates them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from benchmarks.llmsim.wire import Request

Finish = Literal["stop", "length", "refusal", "content_filter"]
Trouble = Literal[
    "bad_key",
    "forbidden",
    "no_quota",
    "rate_limited",
    "overloaded",
    "server_error",
    "not_found",
    "unknown_model",
    "policy",
    "too_large",
    "too_long",
    "invalid",
]

UNKNOWN_MODEL_PREFIX = "no-such"
"""Models of such names do not exist; any other name is taken."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the model, whichever API it came through.

    ``digest`` names the content: model, system text, messages and sampling. ``prompt`` is the last message.
    """

    model: str
    prompt: str
    system: str | None
    digest: int
    prompt_tokens: int
    max_tokens: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says; tokens are a quarter of the characters, at least one for any text.

    ``thought`` is what a model that thinks does before it answers; its tokens are among those of the answer.
    """

    text: str
    finish: Finish
    tokens: int
    thought: str = ""
    thought_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal to serve; ``kind`` and ``code`` are the provider's own words."""

    status: int
    kind: str
    message: str
    code: str | None = None
    param: str | None = None


class Api(Protocol):
    """One provider's wording of questions, answers and errors."""

    def read(self, body: Mapping[str, Any]) -> Ask | Problem:
        """Understand the body of a request."""
        ...

    def key(self, request: Request) -> str:
        """Return the API key that a request carries, empty where it has none."""
        ...

    def problem(self, trouble: Trouble, message: str = "") -> Problem:
        """Name a trouble as this provider does; ``message`` replaces the usual sentence."""
        ...

    def message(self, ask: Ask, answer: Answer, number: int) -> dict[str, Any]:
        """Return the body of an answer; ``number`` makes its id."""
        ...

    def error(self, problem: Problem, number: int) -> Any:
        """Return the body of an error."""
        ...

    def headers(self, number: int, limit: int, remaining: int) -> bytes:
        """Return the headers of every response: ids, and calls left of the limit."""
        ...

    def prompt_refused(self) -> Problem | None:
        """Return the error a stopped answer becomes, where the filter does not end it with a finish reason."""
        ...


def tokens(characters: int) -> int:
    """Return the number of tokens that a text of so many characters counts as."""
    return max(1, characters // 4) if characters else 0


def text_of(content: object) -> str | None:
    """Return the text of a message's content, given as a string or as text blocks; ``None`` for anything else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [block.get("text") for block in content if isinstance(block, dict)]
    if len(texts) != len(content) or not all(isinstance(text, str) for text in texts):
        return None
    return "\n".join(text for text in texts if text is not None)
