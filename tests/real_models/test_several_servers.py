"""One model behind several servers: one of them dies, comes, costs or lies elsewhere, and the run is the same."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver.errors import SettingsError
from tests.real_models.conftest import KEY, Command

Ask = Callable[..., list[dict[str, Any]]]
ROWS = "SELECT id, parent_id, status, rule, mutator, instruction, response FROM instructions ORDER BY id"
MODEL = ("--model", "openai:mine", "--concurrency", 8, "--epochs", 2)


@pytest.fixture
def second() -> Iterator[SimServer]:
    with SimServer() as running:
        yield running


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, and nobody else will meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


def at(*addresses: str) -> list[str]:
    return [part for address in addresses for part in ("--base-url", address)]


def test_a_server_killed_in_the_middle_changes_no_row(
    evolve: Command, pool: Path, server: SimServer, second: SimServer, ask_store: Ask
) -> None:
    alone = evolve(
        "--pool", pool, *MODEL, *at(server.openai_base_url), "--store", "alone.db", "--output", "alone.jsonl"
    )
    assert alone.returncode == 0, alone.stderr
    server.configure(latency="constant:0.001")
    second.configure(latency="constant:0.001", hold_after=20)

    running = evolve.begin("--pool", pool, *MODEL, *at(server.openai_base_url, second.openai_base_url))
    second.wait(held=2)
    os.kill(second.pid, signal.SIGKILL)
    _, said = running.communicate()

    assert running.returncode == 0, said
    assert "Traceback" not in said
    assert ask_store(ROWS) == ask_store(ROWS, evolve.folder / "alone.db")
    assert ask_store("SELECT count(*) AS failed FROM instructions WHERE status = 'failed'") == [{"failed": 0}]
    assert ask_store("SELECT name FROM runs") == ask_store(
        "SELECT name FROM runs", evolve.folder / "alone.db"
    )


def test_both_servers_are_asked_and_each_call_is_paid_for_once(
    evolve: Command, pool: Path, server: SimServer, second: SimServer, ask_store: Ask
) -> None:
    for one in (server, second):
        one.configure(latency="constant:0.001")
    done = evolve("--pool", pool, *MODEL, *at(server.openai_base_url, second.openai_base_url))

    answered = [one.stats()["completed"] for one in (server, second)]
    assert done.returncode == 0, done.stderr
    assert min(answered) > 0
    assert ask_store("SELECT count(*) AS calls FROM calls") == [{"calls": sum(answered)}]


def test_a_server_that_was_never_there_costs_no_row(
    evolve: Command, pool: Path, server: SimServer, nobody: str, ask_store: Ask
) -> None:
    done = evolve("--pool", pool, *MODEL, *at(nobody, server.openai_base_url))

    assert done.returncode == 0, done.stderr
    assert ask_store("SELECT count(*) AS failed FROM instructions WHERE status = 'failed'") == [{"failed": 0}]


def test_more_servers_join_a_run_in_any_order(
    evolve: Command, pool: Path, server: SimServer, second: SimServer, nobody: str, ask_store: Ask
) -> None:
    first = evolve("--pool", pool, *MODEL, *at(server.openai_base_url))
    joined = evolve(
        "--pool", pool, *MODEL, "--force", *at(nobody, second.openai_base_url, server.openai_base_url)
    )
    more = evolve("--pool", pool, *MODEL[:-1], 3, *at(second.openai_base_url, server.openai_base_url))

    assert [done.returncode for done in (first, joined, more)] == [0, 0, 0], joined.stderr + more.stderr
    assert len(ask_store("SELECT name FROM runs")) == 1
    assert ask_store("SELECT count(*) AS calls FROM calls WHERE epoch < 3") == [{"calls": 60 * 2 * 3}]


def test_the_key_of_a_call_is_that_of_the_first_address(
    evolve: Command, pool: Path, server: SimServer, second: SimServer, ask_store: Ask
) -> None:
    addresses = [server.openai_base_url, second.openai_base_url]
    evolve("--pool", pool, *MODEL, *at(*addresses), "--store", "two.db", "--output", "two.jsonl")
    evolve("--pool", pool, *MODEL, *at(addresses[0]), "--store", "one.db", "--output", "one.jsonl")

    keys = "SELECT key FROM calls ORDER BY key"
    assert ask_store(keys, evolve.folder / "two.db") == ask_store(keys, evolve.folder / "one.db")


@pytest.mark.parametrize("door", ["command line", "variable", "file", "python"])
def test_several_addresses_may_be_given_everywhere(
    evolve: Command, pool: Path, server: SimServer, nobody: str, store: Path, door: str
) -> None:
    addresses = [nobody, server.openai_base_url]
    run = ["--pool", pool, *MODEL]
    if door == "command line":
        done = evolve(*run, *at(*addresses))
    elif door == "variable":
        done = evolve(*run, EVOLVE_BASE_URL=",".join(addresses))
    elif door == "file":
        (evolve.folder / "mine.toml").write_text(f"[evolve]\nbase_url = {json.dumps(addresses)}\n")
        done = evolve("--config", "mine.toml", *run)
    else:
        result = Evolution(
            pool, model="openai:mine", base_url=addresses, epochs=2, store=str(store), output=None
        ).run()
        assert result.stats.failed == 0
        return
    assert done.returncode == 0, done.stderr


def test_the_judge_may_have_several_servers_of_its_own(
    evolve: Command, pool: Path, server: SimServer, second: SimServer, nobody: str
) -> None:
    own = ["--judge-base-url", nobody, "--judge-base-url", second.openai_base_url]
    done = evolve("--pool", pool, *MODEL, *at(server.openai_base_url), *own)

    assert done.returncode == 0, done.stderr
    assert second.stats()["completed"] == 120


def test_a_run_whose_servers_are_all_gone_stops_as_with_one(
    evolve: Command, pool: Path, server: SimServer, second: SimServer
) -> None:
    for one in (server, second):
        one.configure(require_key="sk-another")
    done = evolve("--pool", pool, *MODEL, *at(server.openai_base_url, second.openai_base_url))

    assert done.returncode == 1
    assert "401" in done.stderr
    assert "run the same command again" in done.stderr


def test_a_paid_server_among_ones_own_makes_the_run_one_that_costs(evolve: Command, pool: Path) -> None:
    paid = "https://api.openai.com/v1"
    done = evolve(
        "--pool",
        pool,
        "--model",
        "openai:gpt-4.1-mini",
        *at("http://localhost:1/v1", paid),
        OPENAI_API_KEY=KEY,
    )

    assert done.returncode == 1
    assert "this run costs money" in done.stderr


def test_a_budget_counts_by_no_price_where_one_address_has_none(pool: Path) -> None:
    addresses = ["https://api.openai.com/v1", "http://localhost:1/v1"]
    with pytest.raises(SettingsError, match="no price is known"):
        Evolution(pool, model="openai:gpt-4.1-mini", base_url=addresses, max_cost=1.0).plan()


def test_a_key_that_goes_over_a_wire_in_the_clear_is_told_of_for_every_address(
    evolve: Command, pool: Path, server: SimServer
) -> None:
    done = evolve(
        "check",
        *MODEL[:2],
        *at(server.openai_base_url, "http://192.0.2.1:9/v1"),
        "--timeout",
        1,
        OPENAI_API_KEY=KEY,
    )

    assert "The key of openai goes to http://192.0.2.1:9/v1 unencrypted" in done.stderr


def test_batches_go_to_one_address(evolve: Command, pool: Path, server: SimServer, second: SimServer) -> None:
    done = evolve("--pool", pool, *MODEL, "--batch", *at(server.openai_base_url, second.openai_base_url))

    assert done.returncode == 1
    assert "is asked at 2 addresses, and a batch goes to one" in done.stderr
    assert server.stats()["requests"] + second.stats()["requests"] == 0


def test_check_asks_at_every_address_and_names_the_one_that_does_not_work(
    evolve: Command, server: SimServer, nobody: str
) -> None:
    done = evolve("check", *MODEL[:2], *at(server.openai_base_url, nobody), "--json")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [(one["purpose"], one["address"], one["works"]) for one in found][:2] == [
        ("evolve", server.openai_base_url, True),
        ("evolve", nobody, False),
    ]
    assert f"evolve at {nobody} and judge at {nobody} and answer at {nobody} cannot work" in done.stderr


def test_an_address_given_twice_is_one_server(evolve: Command, server: SimServer) -> None:
    done = evolve("check", *MODEL[:2], *at(server.openai_base_url, server.openai_base_url + "/"), "--json")

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3
