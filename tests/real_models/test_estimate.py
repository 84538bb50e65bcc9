"""The estimate: what it counts, what it rests on, and that it asks nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver.cli.estimate import command as estimate
from evolver.cli.main import main
from evolver.cli.run import command as run
from evolver.errors import PoolError, SettingsError
from evolver.report.estimate import Estimate
from tests.real_models.conftest import Command


@pytest.fixture
def paid(pool: Path, store: Path) -> dict[str, Any]:
    """A run whose price is known, and that nobody begins."""
    return {"pool": pool, "store": str(store), "output": None, "model": "openai:gpt-4.1-mini"}


def by_place(estimate: Estimate) -> dict[tuple[int, str], int]:
    return {(line.epoch, line.purpose): line.calls for line in estimate.lines}


def test_the_estimate_needs_no_key_and_leaves_nothing_behind(
    paid: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    Evolution(**paid).estimate()
    assert [file.name for file in tmp_path.iterdir()] == ["pool.json"]


def test_every_seed_is_evolved_judged_and_answered_in_every_epoch(paid: dict[str, Any]) -> None:
    estimate = Evolution(**paid, epochs=2).estimate()
    assert by_place(estimate) == {
        (epoch, purpose): 60 for epoch in (1, 2) for purpose in ("evolve", "judge", "answer")
    }
    assert (estimate.calls, estimate.seeds, estimate.sample) == (360, 60, 60)


@pytest.mark.parametrize("without", [{"judge": False}, {"skip_rules": ("no_information_gain",)}])
def test_a_judge_left_out_is_not_counted(without: dict[str, Any], paid: dict[str, Any]) -> None:
    estimate = Evolution(**paid, **without, epochs=1).estimate()
    assert by_place(estimate) == {(1, "evolve"): 60, (1, "answer"): 60}


def test_answers_to_seeds_are_counted_as_epoch_0(paid: dict[str, Any]) -> None:
    assert by_place(Evolution(**paid, epochs=0, answer_seeds="all").estimate()) == {(0, "answer"): 60}
    assert Evolution(**paid, epochs=0, answer_seeds="missing").estimate().calls == 0


def test_more_attempts_are_expected_only_for_those_that_die(paid: dict[str, Any]) -> None:
    assert by_place(Evolution(**paid, epochs=1, attempts=3).estimate())[1, "evolve"] == 63


def test_dollars_are_tokens_times_the_price(paid: dict[str, Any]) -> None:
    estimate = Evolution(**paid, price_in=2.0, price_out=8.0).estimate()
    in_dollars = (2 * estimate.prompt_tokens + 8 * estimate.completion_tokens) / 1e6
    assert estimate.cost_usd == pytest.approx(in_dollars, rel=0.001)


def test_batches_cost_half(paid: dict[str, Any]) -> None:
    live, batched = (Evolution(**paid, batch=batch).estimate() for batch in (False, True))
    assert live.cost_usd is not None
    assert batched.cost_usd == pytest.approx(live.cost_usd / 2)


def test_later_epochs_have_longer_prompts(paid: dict[str, Any]) -> None:
    lines = Evolution(**paid).estimate().lines
    judged = [line.prompt_tokens for line in lines if line.purpose == "judge"]
    assert judged == sorted(judged)
    assert judged[0] < judged[-1]


def test_an_answer_is_not_expected_to_be_longer_than_it_may_be(paid: dict[str, Any]) -> None:
    lines = Evolution(**paid, max_tokens=7).estimate().lines
    assert {line.completion_tokens / line.calls for line in lines if line.purpose == "answer"} == {7}


def test_the_estimate_of_a_real_run_is_the_order_of_what_it_takes(
    options: dict[str, Any], server: SimServer
) -> None:
    server.configure(style="offline")
    before = Evolution(**options).estimate()
    stats = Evolution(**options).run().stats
    assert before.calls * 0.7 <= stats.calls <= before.calls
    assert 0.5 < stats.prompt_tokens / before.prompt_tokens < 1.5


def test_calls_that_another_run_paid_for_are_not_counted_again(
    options: dict[str, Any], server: SimServer
) -> None:
    server.configure(style="offline")
    Evolution(**options, epochs=2, limit=20, run="first").run()
    again = Evolution(**options, epochs=2, limit=20, run="again")
    assert again.estimate().calls == 0
    more = Evolution(**options, epochs=2, limit=30, run="more").estimate()
    assert by_place(more)[1, "evolve"] == by_place(more)[2, "evolve"] == 10
    assert Evolution(**options, epochs=2, limit=20, run="other", seed=1).estimate().calls > 60
    assert Evolution(**options, epochs=2, limit=20, run="anew", cache=False).estimate().calls == 120

    before = server.stats()["requests"]
    again.run()
    assert server.stats()["requests"] == before


def test_earlier_calls_put_the_guess_right(options: dict[str, Any], tmp_path: Path) -> None:
    rows = [
        {"instruction": f"{number} " + "川と湖の名前を挙げてください。" * 20, "output": "A"}
        for number in range(60)
    ]
    options["pool"] = tmp_path / "japanese.json"  # of which the server counts fewer tokens than a guess would
    options["pool"].write_text(json.dumps(rows), encoding="utf-8")
    guess = Evolution(**options, epochs=2).estimate()
    run = Evolution(**options, epochs=2, limit=30).run()
    estimate = Evolution(**options, epochs=2).estimate()  # another run: sixty seeds, half of them paid for
    assert all(line.measured for line in estimate.lines)
    assert estimate.prompt_tokens < 0.9 * guess.prompt_tokens / 2
    assert estimate.prompt_tokens / 30 == pytest.approx(run.stats.prompt_tokens / 30, rel=0.05)
    assert estimate.completion_tokens / 30 == pytest.approx(run.stats.completion_tokens / 30, rel=0.05)


def test_a_few_earlier_calls_prove_nothing(options: dict[str, Any]) -> None:
    guess = Evolution(**options).estimate()
    Evolution(**options, epochs=2, limit=4).run()
    lines = Evolution(**options).estimate().lines
    assert not any(line.measured for line in lines)
    for line, guessed in zip(lines, guess.lines, strict=True):
        each = line.prompt_tokens / line.calls, line.completion_tokens / line.calls
        assert each == pytest.approx(
            (guessed.prompt_tokens / guessed.calls, guessed.completion_tokens / guessed.calls), rel=0.01
        )


def test_what_is_done_is_not_estimated_again(options: dict[str, Any]) -> None:
    Evolution(**options, epochs=1).run()
    more = Evolution(**options, epochs=3).estimate()
    assert by_place(more)[1, "evolve"] == 0
    assert by_place(more)[2, "evolve"] == by_place(more)[3, "answer"] == 60
    assert more.attempts_done == 60
    assert Evolution(**options, epochs=1).estimate().calls == 0


def test_attempts_that_were_served_by_another_run_are_done_though_they_made_no_call(
    options: dict[str, Any],
) -> None:
    Evolution(**options, epochs=1).run()
    other = {**options, "skip_rules": ("only_stop_words",), "epochs": 1}
    assert Evolution(**other).run().stats.calls == 0
    assert Evolution(**other).estimate().calls == 0


def test_paid_calls_of_attempts_that_are_not_finished_are_not_estimated_again(
    options: dict[str, Any], server: SimServer
) -> None:
    options |= {"price_in": 10.0, "price_out": 30.0}
    with pytest.raises(Exception, match="max-cost"):
        Evolution(**options, max_cost=0.2).run()
    left = Evolution(**options).estimate()
    assert left.calls == 720 - server.stats()["completed"]
    assert 0.1 < left.spent_usd <= 0.2 * 1.02
    all_over = Evolution(**options, cache=False).estimate()
    assert all_over.calls == 720 - 3 * left.attempts_done >= left.calls


def test_a_budget_that_no_price_can_count_is_refused_before_anything_is_written(
    options: dict[str, Any], store: Path, server: SimServer
) -> None:
    evolution = Evolution(**options, max_cost=1.0)
    for action in (evolution.estimate, evolution.run):
        with pytest.raises(SettingsError, match="--price-in and --price-out"):
            action()
    assert not store.exists()
    assert server.stats()["requests"] == 0


def test_a_model_without_a_price_has_calls_and_tokens_and_no_dollars(options: dict[str, Any]) -> None:
    estimate = Evolution(**options).estimate()
    assert (estimate.calls, estimate.cost_usd) == (720, None)
    assert estimate.unpriced == ("openai:gpt-4.1-mini",)


def test_the_embedded_model_costs_nothing(pool: Path, store: Path) -> None:
    estimate = Evolution(pool, store=str(store)).estimate()
    assert (estimate.calls, estimate.cost_usd, estimate.unpriced) == (720, 0.0, ())


def test_a_pool_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="does not exist"):
        Evolution(tmp_path / "none.json").estimate()


def test_the_command_prints_a_line_for_every_purpose_and_the_sum(pool: Path, store: Path) -> None:
    args = ["estimate", "--pool", str(pool), "--model", "openai:gpt-4.1-mini", "--store", str(store)]
    shown = CliRunner().invoke(main, args)
    assert shown.exit_code == 0
    assert shown.stdout.count("judge") == 4
    assert "720" in shown.stdout
    figures = json.loads(CliRunner().invoke(main, [*args, "--json"]).stdout)
    assert figures["calls"] == 720 == sum(line["calls"] for line in figures["lines"])
    assert figures["cost_usd"] == pytest.approx(sum(line["cost_usd"] for line in figures["lines"]))


def test_the_command_takes_every_option_of_a_run() -> None:
    of_run, of_estimate = ({param.name for param in command.params} for command in (run, estimate))
    assert of_run - of_estimate == {"dry_run", "verbose", "log"}  # nothing is asked that could be logged


def test_a_wrong_address_is_an_error_of_the_estimate_too(evolve: Command, pool: Path) -> None:
    said = evolve("estimate", "--pool", pool, "--model", "x", "--base-url", "localhost:8000")
    assert said.returncode == 1
    assert "is not an address" in said.stderr
