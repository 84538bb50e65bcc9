"""Values that a setting chooses among. Each name stands here and nowhere else."""

from __future__ import annotations

from typing import Literal, get_args

Format = Literal["wizardcoder", "alpaca", "text", "messages", "sharegpt", "prompt-completion"]
"""The shapes that rows of a dataset come in; ``evolver.merge.formats`` has the function of each."""

FORMATS: tuple[Format, ...] = get_args(Format)
DEFAULT_FORMAT: Format = "wizardcoder"

Recipe = Literal["trl", "axolotl", "llama-factory"]
"""The programs that a configuration for training can be written for; ``evolver.merge.recipes`` makes them."""

RECIPES: tuple[Recipe, ...] = get_args(Recipe)

Reasoning = Literal["none", "inline", "field"]
"""Where a dataset has what the model thought before it answered."""

REASONINGS: tuple[Reasoning, ...] = get_args(Reasoning)

BatchFallback = Literal["none", "live"]
Turns = Literal["first", "all"]
AnswerSeeds = Literal["none", "missing", "all"]
