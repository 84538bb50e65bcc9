"""What a seed's answer leaves in the lineage besides its text."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from evolver.calls.ask import Answer
from evolver.calls.call_settings import CallSettings
from evolver.calls.key import Origin
from evolver.elimination.rules import load_rules
from evolver.models.protocol import Completion, Purpose, Request, Sampling
from evolver.plugins import MutatorSet, load_mutators
from evolver.scheduler.answers import answer_seed
from evolver.scheduler.attempt import Method

CUT = Completion("Rivers are", "length", 10, 100)
WHOLE = Completion("Rivers are long.", "stop", 10, 130)


@dataclass
class Answers:
    """Asks nobody: the answers are given."""

    given: list[Answer]
    name: str = "given/1"
    limits: list[int] = field(default_factory=list)

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        self.limits.append(request.sampling.max_tokens)
        return self.given.pop(0)


def answered(*given: Answer) -> dict[str, object]:
    mutators = MutatorSet(load_mutators())
    asks = Answers(list(given))
    how: dict[Purpose, CallSettings] = {"answer": CallSettings(Sampling(max_tokens=100))}
    method = Method(1, 0, mutators, load_rules(), {"answer": asks}, how)
    row = asyncio.run(answer_seed(1 << 40, "Tell of rivers.", None, None, method))
    assert asks.limits == [100, 200][: len(given)]
    return {name: row[name] for name in ("response", "prompt_tokens", "completion_tokens", "cost_usd")}


def test_an_answer_that_was_cut_is_counted_with_the_one_that_was_not() -> None:
    assert answered(Answer(CUT, 0.25), Answer(WHOLE, 0.5)) == {
        "response": "Rivers are long.",
        "prompt_tokens": 20,
        "completion_tokens": 230,
        "cost_usd": 0.75,
    }


def test_an_answer_of_unknown_price_is_not_one_that_cost_nothing() -> None:
    assert answered(Answer(WHOLE, None))["cost_usd"] is None
    assert answered(Answer(WHOLE, 0.0))["cost_usd"] == 0.0
