"""What stops a run: a refused key, kill -9, a spent budget. Nothing is lost, and the same command goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver.errors import BudgetError
from tests.real_models.conftest import KEY, Command

Ask = Callable[[str], list[dict[str, Any]]]
WRONG = "sk-wrong-9876543210"
ROWS = "SELECT id, parent_id, status, rule, mutator, instruction, response FROM instructions ORDER BY id"


def arguments(pool: Path, server: SimServer, *more: object) -> list[object]:
    model = ("--model", "openai:gpt-4.1-mini", "--base-url", server.openai_base_url)
    return ["--pool", pool, *model, "--concurrency", 8, *more]


def test_a_refused_key_costs_one_request_a_slot_and_the_right_one_goes_on(
    evolve: Command, pool: Path, server: SimServer, ask_store: Ask
) -> None:
    server.configure(require_key=KEY)

    refused = evolve(*arguments(pool, server), OPENAI_API_KEY=WRONG)

    assert refused.returncode == 1
    assert refused.stderr.count("401") == 1
    assert "run the same command again" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert 1 <= server.stats()["requests"] <= 8
    assert [run["status"] for run in ask_store("SELECT status FROM runs")] == ["stopped"]
    assert ask_store("SELECT count(*) AS seeds FROM instructions") == [{"seeds": 60}]

    done = evolve(*arguments(pool, server), OPENAI_API_KEY=KEY)

    assert done.returncode == 0
    assert ask_store("SELECT status, count(*) AS runs FROM runs GROUP BY status") == [
        {"status": "finished", "runs": 1}
    ]
    assert ask_store("SELECT count(*) AS done FROM instructions WHERE epoch > 0") == [{"done": 240}]
    for secret in (WRONG, KEY):
        assert secret not in refused.stderr + refused.stdout + done.stderr + done.stdout
        for file in (file for file in evolve.folder.rglob("*") if file.is_file()):
            assert secret.encode() not in file.read_bytes(), f"{file} holds a key"


def test_a_run_that_was_killed_asks_again_for_no_more_than_was_in_flight(
    evolve: Command, pool: Path, server: SimServer, ask_store: Callable[..., list[dict[str, Any]]]
) -> None:
    undisturbed = evolve(
        *arguments(pool, server, "--store", "whole.db", "--output", "whole.jsonl"), OPENAI_API_KEY=KEY
    )
    assert undisturbed.returncode == 0
    server.reset()
    server.configure(hold_after=200)
    killed = evolve.begin(*arguments(pool, server), OPENAI_API_KEY=KEY)
    server.wait(held=8)
    while ask_store("SELECT count(*) AS kept FROM calls") != [{"kept": 200}]:
        pass  # the last answers are written within 50 ms
    killed.kill()
    killed.communicate()
    server.configure(hold=False)

    done = evolve(*arguments(pool, server), OPENAI_API_KEY=KEY)

    assert done.returncode == 0
    seen = server.stats()
    assert seen["asked_again"]["total"] <= 8
    assert seen["repeated"]["total"] == 0
    assert ask_store(ROWS) == ask_store(ROWS, evolve.folder / "whole.db")


def test_the_spend_exceeds_the_budget_by_no_more_than_a_fiftieth_or_a_call(
    options: dict[str, Any], server: SimServer, ask_store: Ask
) -> None:
    options |= {"price_in": 10.0, "price_out": 30.0}

    with pytest.raises(BudgetError) as stopped:
        Evolution(**options, max_cost=0.5).run()

    assert stopped.value.exit_code == 3
    [calls] = ask_store(
        "SELECT count(*) AS paid, sum(cost_usd) AS spent, max(cost_usd) AS dearest FROM calls"
    )
    assert 0.5 - 3 * calls["dearest"] <= calls["spent"] <= max(0.5 * 1.02, 0.5 + calls["dearest"])
    assert server.stats()["requests"] == calls["paid"]
    assert ask_store("SELECT status FROM runs") == [{"status": "stopped"}]

    assert Evolution(**options, max_cost=100.0).run().stats.attempts == 240
    assert server.stats()["asked_again"]["total"] == 0


def test_a_spent_budget_ends_with_status_3_and_says_what_was_spent_and_how_to_go_on(
    evolve: Command, pool: Path, server: SimServer
) -> None:
    prices = ("--price-in", 10, "--price-out", 30)

    stopped = evolve(*arguments(pool, server, *prices, "--max-cost", 0.05), OPENAI_API_KEY=KEY)
    at_once = evolve(*arguments(pool, server, *prices, "--max-cost", 0.05), OPENAI_API_KEY=KEY)

    asked = server.stats()["requests"]
    assert (stopped.returncode, at_once.returncode) == (3, 3)
    for said in (stopped.stderr, at_once.stderr):
        assert "has spent $0.0" in said
        assert "of the $0.05 that --max-cost allows" in said
        assert "the same command with a larger --max-cost" in said
    done = evolve(*arguments(pool, server, *prices, "--max-cost", 50), OPENAI_API_KEY=KEY)
    assert done.returncode == 0
    assert server.stats()["requests"] == 720 > asked
