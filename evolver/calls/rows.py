"""A call as the store keeps it: from a completion to a row of ``calls``, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evolver.answers.reading import apart
from evolver.calls.key import Origin
from evolver.errors import RowModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Purpose, Request
from evolver_store.storable import storable

WITHHELD = "content_filter"
"""Finish reason of a call that was paid for and not answered: the provider's filter kept the answer back."""

ROWS_OWN = frozenset({WITHHELD, "too_long", "unstorable"})
"""Failures that say by their class that the request is at fault: nobody else need be asked."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A call that is over: under which key it is kept, what it was for, and how long it took.

    ``request`` is ``None`` where a batch brings what nobody of this session asked; ``factor`` is the share of the live
    price that is paid.
    """

    key: str
    purpose: Purpose
    request: Request | None
    origin: Origin
    latency_s: float
    factor: float = 1.0


def call_row(
    kept: Kept,
    who: ModelIdentity,
    completion: Completion,
    *,
    tokens: tuple[int, int],
    cost_usd: float | None,
) -> dict[str, Any]:
    """Return the row of a call; ``tokens`` are those of prompt and completion, counted or estimated."""
    refused = completion.refusal is not None
    return {
        "key": kept.key,
        "run_id": kept.origin.run_id,
        "root_id": kept.origin.root_id,
        "epoch": kept.origin.epoch,
        "purpose": kept.purpose,
        "provider": who.provider,
        "model": who.name,
        "completion": completion.refusal if refused else completion.text,
        "finish_reason": "refusal" if refused else completion.finish_reason,
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "reasoning": completion.reasoning,
        "reasoning_tokens": completion.reasoning_tokens or None,
        "cost_usd": cost_usd,
        "latency_s": kept.latency_s,
        "created_at": datetime.now(UTC),
    }


def completion_of(row: Mapping[str, Any]) -> Completion:
    """Return the completion that a row of ``calls`` holds.

    Raises:
        RowModelError: The row says that the answer was withheld.
    """
    if row["finish_reason"] == WITHHELD:
        raise RowModelError(row["completion"], WITHHELD)
    refusal = row["completion"] if row["finish_reason"] == "refusal" else None
    completion = Completion(
        "" if refusal is not None else row["completion"],
        row["finish_reason"],
        row["prompt_tokens"],
        row["completion_tokens"],
        refusal,
        row.get("reasoning"),
        row.get("reasoning_tokens") or 0,
    )
    return apart(completion)  # older stores hold reasoning and answer in one


def withheld(error: RowModelError) -> Completion:
    """Return what is kept of a call that is paid for though its answer was withheld; others that fail cost nothing.

    Raises:
        RowModelError: It cost nothing.
    """
    if not (error.prompt_tokens or error.completion_tokens):
        raise error
    return Completion(str(error), WITHHELD, error.prompt_tokens, error.completion_tokens)


def checked(completion: Completion) -> Completion:
    """Return a completion that every database and every file can hold.

    Raises:
        RowModelError: This one cannot be held.
    """
    if storable(completion.text) and (completion.refusal is None or storable(completion.refusal)):
        return completion
    raise RowModelError("the completion holds a NUL byte or half a character", "unstorable")
