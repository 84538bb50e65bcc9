"""Pools of any size, made from the example pool: for speed and scale only, no training data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.measure import ROOT

EXAMPLES = ROOT / "examples" / "seeds.json"


def pool_rows(count: int, *, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield ``count`` rows with distinct instructions: the examples as they are, then examples in other words.

    Half of the words of each are exchanged for words of other examples and a case number is added, so that lengths
    and characters stay real (a median of 100 characters, one text in twenty above 250, a third with an input),
    while near-duplicates are as rare as in a public pool.
    """
    rng = Random(seed)
    examples = _examples()
    for number in range(count):
        if number < len(examples):
            yield examples[number]
            continue
        example = rng.choice(examples)
        yield {
            "instruction": f"{in_other_words(example['instruction'], rng)} (Case {number}.)",
            "input": in_other_words(example.get("input", ""), rng),
            "output": example["output"],
        }


def write_pool(path: Path, count: int, *, seed: int = 0) -> Path:
    """Write a pool as a JSON list, a row a line; memory does not grow with it."""
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(pool_rows(count, seed=seed)):
            file.write(("[\n" if number == 0 else ",\n") + json.dumps(row, ensure_ascii=False))
        file.write("\n]\n")
    return path


def in_other_words(text: str, rng: Random, share: float = 0.5) -> str:
    """Exchange a share of the words, drawn one by one, for words of the examples; lines stay as many."""
    words, draw = _words(), rng.random
    return "\n".join(
        " ".join(
            words[int(draw() * len(words))] if word and draw() < share else word for word in line.split(" ")
        )
        for line in text.split("\n")
    )


def prose(words: int, rng: Random) -> str:
    """Return so many words that make no sense; costs microseconds."""
    text = _shuffled()
    start = rng.randrange(len(text) - words)
    return " ".join(text[start : start + words])


@cache
def _examples() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return rows


@cache
def _words() -> list[str]:
    return [word for row in _examples() for word in row["instruction"].split()]


@cache
def _shuffled() -> list[str]:
    return Random(2304).choices(_words(), k=8192)
