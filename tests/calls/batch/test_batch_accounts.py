"""An account that runs empty while a batch is worked off, in whatever words; a request that is refused for itself."""

from __future__ import annotations

from typing import Any

import pytest

from evolver.errors import RunModelError

_FAILED = "SELECT COUNT(*) AS n FROM instructions WHERE status = 'failed'"


@pytest.mark.parametrize(
    ("provider", "status", "words"),
    [
        ("anthropic", 400, "The prepaid sum of this organization is used up."),
        ("openai", 403, "Tokens of this project are spent"),
        ("openai", 400, "wallet drained"),
        ("anthropic", 402, "There's an issue with your billing or payment information."),
    ],
)
def test_an_account_that_runs_empty_in_a_batch_stops_the_run_and_the_rest_is_asked_again(
    runner: Any, provider: str, status: int, words: str
) -> None:
    runner.run("calm.db", provider)
    calm = runner.lineage("calm.db")
    runner.sim.reset()
    runner.sim.configure(credit_after=14, credit_status=status, credit_words=words)

    with pytest.raises(RunModelError, match=words[:20]):
        runner.run("empty.db", provider)
    assert runner.ask("empty.db", _FAILED) == [{"n": 0}]
    assert runner.ask("empty.db", "SELECT COUNT(*) AS n FROM batches WHERE status = 'submitted'") == [
        {"n": 0}
    ]

    runner.sim.configure(credit_after=-1)
    runner.run("empty.db", provider)
    assert runner.lineage("empty.db") == calm
    assert runner.ask("empty.db", "SELECT status FROM runs") == [{"status": "finished"}]


def test_requests_that_a_batch_refuses_while_others_are_answered_are_failed_rows(runner: Any) -> None:
    runner.sim.configure(policy_phrase="why salt matters")

    runner.run("refused.db", "anthropic", epochs=1)

    failed = runner.ask(
        "refused.db", "SELECT rule, COUNT(*) AS n FROM instructions WHERE status = 'failed' GROUP BY 1"
    )
    assert len(failed) == 1
    assert failed[0]["n"] == 1


def test_a_request_that_every_batch_refuses_is_asked_twice_and_then_a_failed_row(runner: Any) -> None:
    runner.sim.configure(refuse_phrase="why salt matters")

    runner.run("twice.db", "anthropic", epochs=1)

    rows = runner.ask("twice.db", "SELECT rule, reason FROM instructions WHERE status = 'failed'")
    assert [row["rule"] for row in rows] == ["bad_request"]
    assert runner.batches()["errored"] == 2
