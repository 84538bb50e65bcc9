"""The budget by itself: which call may start, given what is spent and what is in flight."""

from __future__ import annotations

import asyncio

import pytest

from evolver.calls.budget import Allowance, Budget
from evolver.errors import BudgetError


def test_a_call_that_could_pass_the_budget_with_those_in_flight_waits_until_they_are_settled() -> None:
    async def run() -> None:
        budget = Budget(1.0)
        first = await budget.reserve(Allowance(), likely=0.4, most=0.9)
        second = asyncio.create_task(budget.reserve(Allowance(), likely=0.1, most=0.5))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(first, 0.3)
        assert (await second).likely == 0.1

    asyncio.run(run())


def test_the_last_call_may_go_alone_though_it_could_come_out_too_long() -> None:
    async def run() -> None:
        budget = Budget(1.0, spent=0.8)
        assert (await budget.reserve(Allowance(), likely=0.1, most=0.9)).most == 0.9

    asyncio.run(run())


@pytest.mark.parametrize(("spent", "likely"), [(1.0, 0.0), (0.95, 0.1)], ids=["all spent", "too little left"])
def test_nothing_starts_that_the_rest_of_the_budget_does_not_pay_for(spent: float, likely: float) -> None:
    async def run() -> None:
        with pytest.raises(BudgetError, match="--max-cost allows"):
            await Budget(1.0, spent=spent).reserve(Allowance(), likely=likely, most=0.5)

    asyncio.run(run())
