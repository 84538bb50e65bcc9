"""Calls are paid once: runs over one store share them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import Candidate, Drop, Evolution


def odd_answer(candidate: Candidate) -> Drop | None:
    """Drop what is answered in an odd number of words."""
    words = len((candidate.response or "").split())
    return Drop("odd_answer", f"{words} words") if words % 2 else None


odd_answer.reads = "response"  # type: ignore[attr-defined]


def test_a_run_that_differs_in_a_rule_nothing_breaks_makes_no_call(
    server: SimServer, options: dict[str, Any]
) -> None:
    first = Evolution(**options).run()
    asked = server.stats()["requests"]
    second = Evolution(**options, skip_rules=("only_stop_words",)).run()
    assert second.run != first.run
    assert second.stats.attempts == first.stats.attempts
    assert server.stats()["requests"] == asked == 720


def test_a_run_that_differs_in_a_rule_pays_for_nothing_the_first_has_paid_for(
    server: SimServer, options: dict[str, Any], ask_store: Callable[[str], list[dict[str, Any]]]
) -> None:
    first = Evolution(**options).run()
    asked = server.stats()["requests"]
    second = Evolution(**options, rules=(odd_answer,)).run()
    assert first.stats.survivors == 240 > 220 > second.stats.survivors
    # A call that was paid for has a row under its key; were it paid for again, it would have no other.
    assert ask_store("SELECT count(*) AS calls FROM calls") == [{"calls": server.stats()["completed"]}]
    assert server.stats()["completed"] > asked  # other survivors, other questions


@pytest.mark.parametrize(
    "difference",
    [{"temperature": 0.5}, {"max_tokens": 1000}, {"top_p": None}],
    ids=lambda what: next(iter(what)),
)
def test_a_run_that_samples_differently_shares_nothing(
    difference: dict[str, Any], server: SimServer, options: dict[str, Any]
) -> None:
    small = {**options, "limit": 5, "epochs": 1}
    Evolution(**small).run()
    Evolution(**small, **difference).run()
    assert server.stats()["requests"] >= 25  # the judge has a temperature and top-p of its own


def test_without_the_cache_every_call_is_paid_again(server: SimServer, options: dict[str, Any]) -> None:
    small = {**options, "limit": 5, "epochs": 1}
    Evolution(**small).run()
    Evolution(**small, run="again", cache=False).run()
    assert server.stats()["requests"] == 30
