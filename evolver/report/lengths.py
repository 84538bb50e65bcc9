"""How long the prompts of a run will be: a sample of the pool walked through all epochs, asking nobody.

The prompts are really rendered, by the mutators and the judge's template; only what a model would answer is a guess,
for want of which one text stands in for another of the expected length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from evolver.calls.call_settings import CallSettings
from evolver.models.protocol import Purpose
from evolver.plugins import MutatorSet
from evolver_templates import render

GROWTH = 160
"""Characters (some 30 words) by which an instruction grows in an attempt; a rewrite in breadth keeps its length."""

ANSWER_TOKENS = 400
JUDGE_TOKENS = 3
_BYTES_PER_TOKEN = 4
_FILLER = " and meet one more requirement that makes the task a bit harder"


@dataclass(slots=True)
class Means:
    """Means over the sample for one purpose in one epoch: tokens of a call, and calls to an attempt."""

    prompt: float = 0.0
    completion: float = 0.0
    calls: float = 0.0


@dataclass(slots=True)
class Lengths:
    """Means by purpose and epoch; ``sample`` instructions were walked through."""

    sample: int
    means: dict[tuple[Purpose, int], Means] = field(default_factory=dict)

    def add(self, purpose: Purpose, epoch: int, prompt: float, completion: float) -> None:
        """Take in one call of one of the sample."""
        mean = self.means.setdefault((purpose, epoch), Means())
        before = mean.calls * self.sample
        mean.prompt = (mean.prompt * before + prompt) / (before + 1)
        mean.completion = (mean.completion * before + completion) / (before + 1)
        mean.calls = (before + 1) / self.sample


def count_tokens(text: str) -> float:
    """Estimate the tokens of a text: a quarter of its UTF-8 bytes, which also comes near in Japanese or Chinese."""
    return len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN


def foresee(
    instructions: Sequence[str],
    mutators: MutatorSet,
    calls: Mapping[Purpose, CallSettings],
    *,
    epochs: int,
    judge: bool,
    seed: int,
) -> Lengths:
    """Walk ``instructions`` through the epochs and measure every prompt.

    Args:
        instructions: A sample of the pool.
        mutators: Drawn from as a run does.
        calls: How those of each purpose are made: their system text and their limit of tokens count.
        epochs: How many generations.
        judge: Whether the judge is asked.
        seed: Of the draws.

    Raises:
        PluginError: A mutator failed on an instruction.
    """
    lengths = Lengths(len(instructions))
    rng = Random(seed)
    system = {purpose: count_tokens(how.system or "") for purpose, how in calls.items()}
    most = {purpose: how.sampling.max_tokens for purpose, how in calls.items()}
    answer = min(most["answer"], ANSWER_TOKENS)
    for text in instructions:
        lengths.add("answer", 0, system["answer"] + count_tokens(text), answer)
        for epoch in range(1, epochs + 1):
            mutator = mutators.draw(rng)
            child = text if mutator.family == "breadth" else text + _filler(GROWTH)
            if mutator.needs_call:
                prompt = mutator.prompt(text, rng)
                tokens = system["evolve"] + count_tokens(prompt.text) + count_tokens(prompt.system or "")
                limit = mutator.sampling.get("max_tokens", most["evolve"])
                lengths.add("evolve", epoch, tokens, min(limit, count_tokens(child)))
            if judge:
                question = render("judge/equality.jinja", first=text, second=child)
                lengths.add("judge", epoch, system["judge"] + count_tokens(question), JUDGE_TOKENS)
            lengths.add("answer", epoch, system["answer"] + count_tokens(child), answer)
            text = child
    return lengths


def _filler(characters: int) -> str:
    return (_FILLER * (characters // len(_FILLER) + 1))[:characters]
