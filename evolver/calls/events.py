"""What asking a model tells while it goes; the scheduler passes these on to its listener."""

from __future__ import annotations

from dataclasses import dataclass

from evolver.models.protocol import Purpose


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A model answered, or the call cache did (``cached``, for nothing); no known price is ``None`` dollars."""

    purpose: Purpose
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    cached: bool


@dataclass(frozen=True, slots=True)
class CallRetried:
    """A call failed for a passing cause, ``kind``, and is tried again."""

    kind: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should read once, such as a parameter that the model refuses."""

    text: str


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far the batches in flight are: requests submitted in them, answered, failed; the oldest one's seconds."""

    batches: int
    submitted: int
    done: int
    failed: int
    age_s: float


CallEvent = CallEnded | CallRetried | Notice | BatchProgress
