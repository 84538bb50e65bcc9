"""The keywords that :class:`evolver.Evolution` takes. Written by scripts/write_settings.py."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypedDict


class Options(TypedDict, total=False):
    """Every keyword; see :class:`evolver.settings.Settings` for what each is."""

    base_url: str | None
    temperature: float | None
    top_p: float | None
    max_tokens: int
    max_tokens_limit: int | None
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
