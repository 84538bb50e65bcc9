"""Whether a request is at fault or the provider, and when one that refuses everything is given up."""

from __future__ import annotations

import asyncio

import pytest

from evolver.calls.health import LONGEST_OVERLOAD, LONGEST_REFUSAL, MOST_ALIKE, Health
from evolver.calls.limits import SlotsClosedError
from evolver.errors import RowModelError, RunModelError, TransientModelError


@pytest.mark.parametrize(
    ("kind", "retry_after", "patience"),
    [
        ("rate_limited", None, LONGEST_REFUSAL),
        ("rate_limited", 5.0, LONGEST_OVERLOAD),
        ("overloaded", None, LONGEST_OVERLOAD),
    ],
    ids=["429 without a time", "429 with a time", "short of capacity"],
)
def test_a_refusal_of_all_without_a_time_is_given_up_sooner_than_want_of_capacity(
    kind: str, retry_after: float | None, patience: float
) -> None:
    now = 0.0
    health = Health(lambda: now)
    error = TransientModelError("said", kind, retry_after=retry_after, overload=True)
    health.note_failure(error)
    now = patience
    assert not health.out_of_patience(99, error)
    now = patience + 1
    assert health.out_of_patience(99, error)
    health.note_answer()
    health.note_failure(error)
    assert not health.out_of_patience(99, error)


def test_an_answer_to_what_was_asked_before_a_refusal_does_not_make_it_the_requests_fault() -> None:
    """The account runs empty while other calls are in flight: their answers come after the first refusal."""

    async def scene() -> tuple[bool, bool]:
        health = Health()
        first, refused = health.begin(), health.begin()

        async def probe() -> None:
            raise RowModelError("the account is empty", "bad_request")

        verdict = asyncio.ensure_future(health.settle(probe))
        health.end()
        await asyncio.sleep(0)
        health.note_answer(first)
        await asyncio.sleep(0)
        early = verdict.done()
        assert refused > first
        health.end()  # nobody else asks: the probe is asked
        with pytest.raises(RunModelError, match=r"refuses every request.*the account is empty"):
            await verdict
        return early, health.answered == 1

    assert asyncio.run(scene()) == (False, True)


def test_an_answer_to_what_was_asked_after_a_refusal_makes_it_the_requests_fault() -> None:
    async def scene() -> None:
        health = Health()
        health.begin()

        async def probe() -> None:
            raise AssertionError("nobody need be asked")

        verdict = asyncio.ensure_future(health.settle(probe))
        await asyncio.sleep(0)
        health.note_answer(health.begin())
        await verdict

    asyncio.run(scene())


def test_who_is_refused_while_the_question_is_asked_is_asked_about_once_more() -> None:
    async def scene() -> int:
        health, asked = Health(), 0

        async def probe() -> None:
            nonlocal asked
            asked += 1
            number = health.begin()
            if asked == 1:
                late.append(asyncio.ensure_future(health.settle(probe)))
                await asyncio.sleep(0)
            health.note_answer(number)
            health.end()

        late: list[asyncio.Task[None]] = []
        await health.settle(probe)
        await late[0]
        return asked

    assert asyncio.run(scene()) == 2


def test_the_same_page_for_everybody_is_asked_about_after_three_unless_somebody_was_answered() -> None:
    page = TransientModelError("answered with no JSON: <html>", "malformed")
    other = TransientModelError("answered with no JSON: {", "malformed")
    for answered, errors, patience in (
        (False, [page] * MOST_ALIKE, False),
        (False, [page] * (MOST_ALIKE - 1), True),
        (False, [page, page, other, page], True),
        (True, [page] * MOST_ALIKE, True),
    ):
        health = Health()
        if answered:
            health.note_answer()
        for error in errors:
            health.note_failure(error)
        assert health.out_of_patience(1, errors[-1]) is not patience


def test_nobody_waits_for_a_verdict_in_a_run_that_is_stopping() -> None:
    """The question is under way when the run stops; what is refused after that has nobody left to ask."""

    async def scene() -> None:
        health = Health()

        async def probe() -> None:
            await asyncio.Event().wait()

        waiting = asyncio.ensure_future(health.settle(probe))
        await asyncio.sleep(0)
        health.close()
        with pytest.raises(SlotsClosedError):
            await asyncio.wait_for(health.settle(probe), 10)
        with pytest.raises(SlotsClosedError):
            await waiting

    asyncio.run(scene())
