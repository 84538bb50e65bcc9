"""What a run will take, before it is begun: calls, tokens and dollars by epoch and purpose. Nobody is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from evolver import html
from evolver.calls.prices import Price
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose
from evolver.plan import Plan
from evolver.pool import Survey
from evolver.report.lengths import Lengths, Means, foresee
from evolver.report.usage import Tokens, Usage, read_usage
from evolver.settings import Settings

SAMPLE = 200
_DEATH_RATE = 0.05
"""Share of attempts that die; of the WizardLM paper (arXiv:2304.12244): 250k rows from 52k seeds in 4 epochs."""

_ENOUGH = 20  # earlier calls of a purpose from which their length is believed rather than the guess
_BATCH_FACTOR = 0.5


@dataclass(frozen=True, slots=True)
class Line:
    """What one purpose will take in one epoch; epoch 0 is the answers to seeds.

    ``cost_usd`` is ``None`` where no price is known; ``measured`` says that earlier calls put the guess right.
    """

    epoch: int
    purpose: Purpose
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    measured: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is left of a run; ``spent_usd`` is what it has spent so far.

    Calls are an upper bound, for an attempt that dies early takes fewer. ``sample`` is how many of the seeds the
    lengths rest on; ``unpriced`` names the models whose price nobody knows.
    """

    run: str
    seeds: int
    epochs: int
    attempts_done: int
    sample: int
    spent_usd: float
    batch: bool
    unpriced: tuple[str, ...]
    lines: tuple[Line, ...]

    @property
    def calls(self) -> int:
        """Calls left."""
        return sum(line.calls for line in self.lines)

    @property
    def prompt_tokens(self) -> int:
        """Tokens of their prompts."""
        return sum(line.prompt_tokens for line in self.lines)

    @property
    def completion_tokens(self) -> int:
        """Tokens of their completions."""
        return sum(line.completion_tokens for line in self.lines)

    @property
    def cost_usd(self) -> float | None:
        """Dollars left to pay; ``None`` where the price of a model that is asked is unknown."""
        costs = [line.cost_usd for line in self.lines if line.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def in_short(self) -> str:
        """Return the sums in one line."""
        tokens = f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens"
        cost = "a price nobody knows" if self.cost_usd is None else f"about {dollars(self.cost_usd)}"
        return f"{self.calls:,} calls, {tokens}, {cost}"

    def _repr_html_(self) -> str:
        """Show it as a table in a notebook."""
        head = ("epoch", "purpose", "model", "calls", "prompt tokens", "completion tokens", "dollars")
        rows: list[tuple[object, ...]] = [
            (
                line.epoch or "seeds",
                line.purpose,
                line.model,
                line.calls,
                line.prompt_tokens,
                line.completion_tokens,
                dollars(line.cost_usd),
            )
            for line in self.lines
        ]
        sums = self.calls, self.prompt_tokens, self.completion_tokens, dollars(self.cost_usd)
        title = f"Left of run {self.run}: {self.seeds:,} seeds x {self.epochs} epochs, at most"
        return html.table(head, [*rows, ("all", None, None, *sums)], title=title, left=("purpose", "model"))


def dollars(amount: float | None) -> str:
    """Write an amount in cents, amounts below ten cents to a hundredth of one; a question mark where it is unknown."""
    if amount is None:
        return "?"
    return f"${amount:,.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.4f}"


class Held(Protocol):
    """What the store holds for the sample, whichever run paid for it: attempts by epoch, calls of those not whole."""

    @property
    def whole(self) -> Counter[int]:
        """Attempts of which nothing is left to be asked, by epoch."""

    @property
    def calls(self) -> Counter[tuple[Purpose, int]]:
        """Calls of all others by purpose and epoch, and answers to seeds."""


def estimate_run(plan: Plan, survey: Survey, held: Held) -> Estimate:
    """Estimate what is left of a run.

    Args:
        plan: The run.
        survey: Of its pool, with a sample of it.
        held: What the store holds for the sample.

    Raises:
        PoolError: The pool cannot be read.
        StoreError: There is a store, and it cannot be read.
        PluginError: A mutator failed on an instruction of the sample.
    """
    settings, models = plan.settings, plan.identities
    lengths = foresee(
        survey.sample,
        plan.mutators,
        {purpose: plan.call_settings(purpose) for purpose in models},
        epochs=settings.epochs,
        judge=plan.judge,
        seed=settings.seed,
    )
    usage = read_usage(settings.store, plan.name, {one.name for one in models.values()})
    lines = _Lines(settings, survey, lengths, usage, held, plan.prices, models)
    return Estimate(
        run=plan.name,
        seeds=survey.seeds,
        epochs=settings.epochs,
        attempts_done=usage.done.total(),
        sample=len(survey.sample),
        spent_usd=usage.spent_usd,
        batch=settings.batch,
        unpriced=tuple(plan.unpriced),
        lines=tuple(lines.all()),
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    """The arithmetic: calls left times tokens a call times dollars a token."""

    settings: Settings
    pool: Survey
    lengths: Lengths
    usage: Usage
    held: Held
    prices: Mapping[Purpose, Price | None]
    models: Mapping[Purpose, ModelIdentity]

    def all(self) -> Iterator[Line]:
        order = sorted(
            self.lengths.means, key=lambda key: (key[1], ("evolve", "judge", "answer").index(key[0]))
        )
        for purpose, epoch in order:
            line = self._line(purpose, epoch, self.lengths.means[purpose, epoch])
            if epoch or self._to_answer:
                yield line

    def _line(self, purpose: Purpose, epoch: int, mean: Means) -> Line:
        factors = self._factors(purpose)
        prompt, completion = mean.prompt, mean.completion
        if factors is not None:
            prompt, completion = prompt * factors[0], completion * factors[1]
        calls = self._calls_left(purpose, epoch, mean)
        price = self.prices[purpose]
        factor = _BATCH_FACTOR if self.settings.batch else 1.0
        return Line(
            epoch=epoch,
            purpose=purpose,
            model=self.models[purpose].name,
            calls=calls,
            prompt_tokens=round(calls * prompt),
            completion_tokens=round(calls * completion),
            cost_usd=None if price is None else factor * price.dollars(calls * prompt, calls * completion),
            measured=factors is not None,
        )

    @property
    def _to_answer(self) -> int:
        return {"none": 0, "missing": self.pool.unanswered, "all": self.pool.seeds}[
            self.settings.answer_seeds
        ]

    def _calls_left(self, purpose: Purpose, epoch: int, mean: Means) -> int:
        """Count all calls, less those that the store holds and those that finished attempts had no need of."""
        made = self.usage.made[purpose, epoch] if self.settings.cache else 0
        share = self.pool.seeds / max(1, len(self.pool.sample))
        held = share * (self.held.whole[epoch] * mean.calls + self.held.calls[purpose, epoch])
        if epoch == 0:
            return max(0, round(self._to_answer - max(made, held)))
        tries = sum(_DEATH_RATE**attempt for attempt in range(self.settings.attempts))
        total = self.pool.seeds * tries * mean.calls
        done = self.usage.done[epoch] * mean.calls
        return max(0, round(total - max(made, done, held)))

    def _factors(self, purpose: Purpose) -> tuple[float, float] | None:
        """Return by how much earlier calls exceeded the guess for them, prompt and completion; if there are enough."""
        name = self.models[purpose].name
        seen, guessed = Tokens(), Means()
        for (model, what, epoch), tokens in self.usage.tokens.items():
            guess = self.lengths.means.get((what, epoch))
            if model != name or what != purpose or guess is None:
                continue
            seen.add(tokens.calls, tokens.prompt, tokens.completion)
            guessed.prompt += tokens.calls * guess.prompt
            guessed.completion += tokens.calls * guess.completion
        if seen.calls < _ENOUGH or not seen.prompt:
            return None
        return seen.prompt / guessed.prompt, seen.completion / guessed.completion
