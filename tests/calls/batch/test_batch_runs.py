"""Whole runs over the batch APIs of both providers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evolver.errors import BudgetError, RunModelError, SettingsError
from evolver.events import BatchProgress, Event, Notice

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


@BOTH
def test_a_run_in_batches_has_the_lineage_of_a_live_one_for_half_the_money(
    runner: Any, provider: str
) -> None:
    live = runner.run("live.db", provider, batch=False)
    batched = runner.run("batched.db", provider)

    assert runner.lineage("batched.db") == runner.lineage("live.db")
    assert batched.stats.calls == live.stats.calls
    kept = runner.ask("batched.db", "SELECT key, cost_usd FROM calls")
    full = {row["key"]: row["cost_usd"] for row in runner.ask("live.db", "SELECT key, cost_usd FROM calls")}
    halves = [row for row in kept if row["cost_usd"] == pytest.approx(full[row["key"]] / 2)]
    assert len(kept) - len(halves) == 2  # the first request with and the first without top-p are asked live


@BOTH
def test_evolve_judge_and_answer_each_form_one_wave_an_epoch(runner: Any, provider: str) -> None:
    runner.run("waves.db", provider)

    rows = runner.ask("waves.db", "SELECT status, requests, succeeded, failed, asked FROM batches")
    calls = runner.ask("waves.db", "SELECT COUNT(*) AS count FROM calls")[0]["count"]
    assert 6 <= len(rows) <= 9  # a judge asked twice or a cut-off answer is a wave of its own
    assert {row["status"] for row in rows} == {"ended"}
    assert sum(row["succeeded"] for row in rows) == sum(row["requests"] for row in rows) == calls - 2
    assert {row["asked"] for row in rows} == {None}


@BOTH
def test_errored_and_expired_requests_alone_are_submitted_again(runner: Any, provider: str) -> None:
    runner.run("calm.db", provider)
    runner.sim.reset()
    runner.sim.configure(batch_rate_errored=0.15, batch_rate_expired=0.15)
    runner.run("rough.db", provider)

    figures = runner.batches()
    assert figures["errored"] > 0
    assert figures["expired"] > 0
    assert figures["requests"] == figures["custom_ids"]["distinct"] + figures["errored"] + figures["expired"]
    assert figures["custom_ids"]["repeated"]["total"] == 0
    assert runner.lineage("rough.db") == runner.lineage("calm.db")


def test_requests_that_fail_in_every_batch_end_the_run_rather_than_every_lineage(runner: Any) -> None:
    runner.run("some.db", epochs=1)
    runner.sim.configure(batch_rate_errored=1.0)

    with pytest.raises(RunModelError, match="answers nothing in 4 batches"):
        runner.run("some.db", epochs=2)
    assert not runner.ask("some.db", "SELECT id FROM instructions WHERE status = 'failed'")


def test_a_live_run_uses_what_a_batch_paid_for_and_the_other_way_round(runner: Any) -> None:
    runner.run("shared.db", epochs=1)
    runner.sim.reset()
    runner.run("shared.db", epochs=1, run="live", batch=False)
    assert runner.sim.stats()["completed"] == 0

    runner.run("shared.db", epochs=2, run="live", batch=False)
    runner.sim.reset()
    runner.run("shared.db", epochs=2, run="again")
    assert (runner.sim.stats()["completed"], runner.batches()["requests"]) == (0, 0)


def test_a_tail_shorter_than_the_minimum_goes_live_when_asked_to(runner: Any) -> None:
    runner.run("tail.db", batch_fallback="live", batch_min=11)

    assert runner.batches()["submitted"] == 0
    calls = runner.ask("tail.db", "SELECT COUNT(*) AS count FROM calls")[0]["count"]
    assert runner.sim.stats()["completed"] == calls


def test_a_wave_of_the_minimum_is_a_batch_also_with_the_live_fallback(runner: Any) -> None:
    runner.run("wave.db", epochs=1, batch_fallback="live", batch_min=10)

    first = runner.ask("wave.db", "SELECT requests FROM batches ORDER BY created_at")[0]
    assert first["requests"] == 9  # the tenth was asked live first


def test_no_more_attempts_share_a_wave_than_the_window_holds(runner: Any) -> None:
    seeds = [{"instruction": f"Describe the number {number}.", "output": "A number."} for number in range(70)]
    runner.pool.write_text(json.dumps(seeds), encoding="utf-8")
    runner.run("narrow.db", epochs=1, batch_window=64)

    sizes = [row["requests"] for row in runner.ask("narrow.db", "SELECT requests FROM batches")]
    assert max(sizes) in (63, 64)  # one of the first wave is asked live
    assert len(runner.lineage("narrow.db")) == 140


def test_a_lost_answer_to_a_submission_does_not_make_a_second_batch(runner: Any) -> None:
    for provider in ("openai", "anthropic"):
        runner.sim.reset()
        runner.sim.configure(batch_lose_answers=2)
        runner.run(f"{provider}.db", provider, epochs=1)

        figures = runner.batches()
        assert figures["custom_ids"]["asked_again"]["total"] == 0
        assert figures["submitted"] == len(runner.ask(f"{provider}.db", "SELECT key FROM batches"))


@BOTH
def test_a_lost_answer_is_made_good_while_the_batch_is_still_worked_on(runner: Any, provider: str) -> None:
    runner.sim.configure(batch_lose_answers=1, batch_hold=True)

    def release(event: Event) -> None:
        if isinstance(event, BatchProgress) and event.batches:
            runner.sim.configure(batch_hold=False)

    runner.run("found.db", provider, epochs=1, on_event=release)
    assert runner.batches()["custom_ids"]["asked_again"]["total"] == 0


def test_the_spend_stops_at_the_budget_as_far_as_lengths_can_be_told_and_the_same_command_goes_on(
    runner: Any,
) -> None:
    whole = runner.run("whole.db").stats.cost_usd
    with pytest.raises(BudgetError, match="--max-cost"):
        runner.run("bounded.db", max_cost=whole / 2)

    spent = runner.ask("bounded.db", "SELECT SUM(cost_usd) AS spent FROM calls")[0]["spent"]
    assert 0 < spent <= 0.6 * whole  # half, and what the answers in flight were longer than those before
    runner.run("bounded.db")
    assert runner.lineage("bounded.db") == runner.lineage("whole.db")


def test_progress_tells_what_is_in_flight(runner: Any) -> None:
    runner.run("told.db", epochs=1)

    told = [event for event in runner.events if isinstance(event, BatchProgress)]
    assert any(event.batches == 1 and event.done == event.submitted == 9 for event in told)
    assert told[-1].batches == 0


@BOTH
def test_a_wrong_key_stops_the_run_before_anything_is_submitted(runner: Any, provider: str) -> None:
    runner.sim.configure(require_key="another")

    with pytest.raises(RunModelError, match="401"):
        runner.run("locked.db", provider)
    assert runner.batches()["submitted"] == 0
    assert not runner.ask("locked.db", "SELECT key FROM batches")


def test_an_unknown_model_costs_one_live_call_and_no_batch(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    evolution = runner.make("unknown.db", model="openai:no-such-model")

    with pytest.raises(RunModelError, match="model_not_found"):
        evolution.run()
    assert runner.batches()["submitted"] == 0


def test_parameters_a_model_refuses_are_learnt_live_and_left_out_of_the_batch(runner: Any) -> None:
    evolution = runner.make("reasoning.db", epochs=1, model="openai:gpt-5-mini")
    evolution.run()

    assert any(isinstance(event, Notice) and "max_completion_tokens" in event.text for event in runner.events)
    assert runner.batches()["errored"] == 0


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("offline", {"base_url": None}, "no batch API"),
        ("openai:gpt-4.1-mini", {"cache": False}, "call cache"),
    ],
)
def test_what_cannot_be_batched_is_refused_before_the_store_is_made(
    runner: Any, model: str, options: dict[str, Any], said: str
) -> None:
    evolution = runner.make("never.db", **options, model=model)

    with pytest.raises(SettingsError, match=said):
        evolution.run()
    assert not (runner.folder / "never.db").exists()


def test_stopping_leaves_the_batch_to_its_provider_and_the_same_command_collects_it(runner: Any) -> None:
    runner.run("undisturbed.db")
    runner.sim.reset()
    runner.sim.configure(batch_hold=True)

    def stop(event: Event) -> None:
        if isinstance(event, BatchProgress) and event.batches:
            evolution.stop()

    evolution = runner.make("stopped.db", on_event=stop)
    with pytest.raises(Exception, match="stopped"):
        evolution.run()

    assert any(isinstance(event, Notice) and "where they go on: 9" in event.text for event in runner.events)
    assert [row["status"] for row in runner.ask("stopped.db", "SELECT status FROM batches")] == ["submitted"]
    runner.sim.configure(batch_hold=False)
    runner.run("stopped.db")
    assert runner.batches()["custom_ids"]["asked_again"]["total"] == 0
    assert runner.lineage("stopped.db") == runner.lineage("undisturbed.db")


def test_a_run_without_batches_says_what_is_in_flight_before_it_pays_again(runner: Any) -> None:
    runner.sim.configure(batch_hold=True)

    def stop(event: Event) -> None:
        if isinstance(event, BatchProgress) and event.batches:
            evolution.stop()

    evolution = runner.make("live.db", on_event=stop)
    with pytest.raises(Exception, match="stopped"):
        evolution.run()
    runner.run("live.db", batch=False)

    assert any(
        isinstance(event, Notice) and "add --batch to collect" in event.text for event in runner.events
    )


def test_a_parameter_refused_in_a_batch_is_left_out_of_the_next_and_told_once(runner: Any) -> None:
    runner.sim.configure(dialect="plain")
    runner.run("plain.db")
    runner.sim.configure(dialect="claude-gateway")
    told: list[str] = []

    def listen(event: Any) -> None:
        if isinstance(event, Notice):
            told.append(event.text)

    runner.make("refusing.db", on_event=listen).run()

    assert runner.lineage("refusing.db") == runner.lineage("plain.db")
    assert len([each for each in told if "top_p" in each]) == 1
