"""The keywords that :class:`evolver.Evolution` takes. Written by scripts/write_settings.py."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class Options(TypedDict, total=False):
    """Every keyword; see :class:`evolver.settings.Settings` for what each is."""

    base_url: Sequence[str] | None
    judge_base_url: Sequence[str] | None
    answer_base_url: Sequence[str] | None
    key_variable: str | None
    judge_key_variable: str | None
    answer_key_variable: str | None
    temperature: float | None
    judge_temperature: float | None
    answer_temperature: float | None
    top_p: float | None
    judge_top_p: float | None
    answer_top_p: float | None
    max_tokens: int
    judge_max_tokens: int
    answer_max_tokens: int
    max_tokens_limit: int | None
    judge_max_tokens_limit: int | None
    answer_max_tokens_limit: int | None
    system: str | None
    judge_system: str | None
    answer_system: str | None
    reasoning_effort: str | None
    judge_reasoning_effort: str | None
    answer_reasoning_effort: str | None
    extra_body: Mapping[str, Any] | None
    judge_extra_body: Mapping[str, Any] | None
    answer_extra_body: Mapping[str, Any] | None
    column: Sequence[str]
    filter: Sequence[str]
    join: Sequence[str]
    turns: Literal["first", "all"]
    limit: int | None
    strict: bool
    answer_seeds: Literal["none", "missing", "all"]
    judge: bool
    epochs: int
    attempts: int
    preset: str
    skip_rules: Sequence[str]
    refusal_phrases: Sequence[str]
    seed: int
    max_cost: float | None
    max_calls: int | None
    retry_failed: bool
    price_in: float | None
    price_out: float | None
    price_as: str | None
    concurrency: int
    rpm: int | None
    tpm: int | None
    timeout: float
    cache: bool
    batch: bool
    batch_fallback: Literal["none", "live"]
    batch_min: int
    batch_window: int
    batch_poll: float | None
    store: str | os.PathLike[str]
    run: str | None
    output: str | os.PathLike[str] | None
    force: bool
    format: Literal["wizardcoder", "alpaca", "text", "messages", "sharegpt", "prompt-completion"]
    recipe: Literal["trl", "axolotl", "llama-factory"] | None
    reasoning: Literal["none", "inline", "field"]
