"""What is asked of a model, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Purpose = Literal["evolve", "judge", "answer", "oss"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a completion is drawn; ``None`` leaves a parameter to the provider.

    The defaults are those of the WizardLM paper (arXiv:2304.12244, section 4.2): temperature 1, top-p 0.9,
    frequency penalty 0, at most 2048 tokens. ``reasoning_effort`` is how much a model is to think, in the words of its
    provider; ``extra_body`` are fields of the request's body besides, as its server takes them.
    """

    temperature: float | None = 1.0
    top_p: float | None = 0.9
    frequency_penalty: float | None = 0.0
    max_tokens: int = 2048
    reasoning_effort: str | None = None
    extra_body: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    ``sample`` tells equal prompts apart that must not share a completion: it is the epoch and the attempt,
    so an instruction that was put back is not served the completion that failed.
    """

    purpose: Purpose
    prompt: str
    sampling: Sampling
    sample: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered.

    ``finish_reason`` is normalised: ``stop``, ``length`` (cut by the token limit), ``content_filter`` or
    ``refusal``; anything else is the provider's own word. ``refusal`` holds the provider's refusal text where
    it marks one apart from the answer. ``reasoning`` is what the model thought before it answered, which is
    never part of ``text``; ``reasoning_tokens`` are among the ``completion_tokens``. Token counts are 0 where the
    provider gives none, and ``usage_known`` is then false: what the call cost can only be estimated. ``answered_by``
    is the model's name in the answer itself, and ``reasoning_in`` where the reasoning stood.
    """

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_tokens: int = 0
    usage_known: bool = True
    answered_by: str | None = None
    reasoning_in: Literal["field", "text"] | None = None
