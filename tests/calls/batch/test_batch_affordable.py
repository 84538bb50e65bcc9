"""How much of a wave is submitted under a budget."""

from __future__ import annotations

from typing import Any, cast

import pytest

from evolver.calls.batch.retrying import Retrying
from evolver.calls.batch.submit import Submitter
from evolver.calls.batch.waiting import BatchItem, ModelQueue
from evolver.calls.budget import Budget
from evolver.calls.gate import Gate
from evolver.calls.key import Origin
from evolver.calls.prices import Price
from evolver.errors import BudgetError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Request, Sampling
from tests.calls.asking import make_asker

NOTHING = cast(Any, None)  # neither the model nor the store is asked
WAVE = [
    BatchItem(
        f"k{number}", Request("evolve", "Why?", Sampling(max_tokens=1000), "1"), Origin(1, None, None), 0
    )
    for number in range(9)
]


def chosen(usd: float) -> tuple[int, float]:
    """Return how many of nine requests are chosen, and what one of them may cost."""
    who = ModelIdentity("openai", "openai:m")
    asker = make_asker(NOTHING, who, gate=Gate(1), log=NOTHING, budget=Budget(usd), price=Price(1.0, 1.0))
    queue = ModelQueue(asker, NOTHING)
    submitter = Submitter(NOTHING, Retrying(lambda event: None))
    return len(submitter.affordable(queue, WAVE)), queue.careful_cost(WAVE[0].request, len(WAVE))


@pytest.mark.parametrize("afforded", [1, 4, 8])
def test_no_more_of_a_wave_is_submitted_than_the_budget_almost_certainly_pays_for(afforded: int) -> None:
    _, each = chosen(1.0)
    assert chosen(each * (afforded + 0.5))[0] == afforded


def test_a_wave_that_the_budget_pays_for_goes_whole() -> None:
    assert chosen(1.0)[0] == len(WAVE)


def test_a_budget_that_pays_for_no_request_of_a_wave_ends_the_run() -> None:
    with pytest.raises(BudgetError):
        chosen(1e-9)
