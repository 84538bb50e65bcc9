"""Money is spent after a yes, or after somebody bounded it; never because nobody could be asked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import CostWarning, Evolution
from tests.real_models.conftest import EVOLVE, KEY, Command

Ask = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def paid(pool: Path, server: SimServer) -> list[object]:
    """A run over five seeds that costs money."""
    model = ("--model", "openai:gpt-4.1-mini", "--base-url", server.openai_base_url)
    return ["--pool", pool, "--limit", 5, "--epochs", 1, *model, "--price-in", 1, "--price-out", 2]


def in_terminal(evolve: Command, args: list[object], answer: bytes) -> tuple[int, str]:
    """Run the command with a terminal as its three streams, and type ``answer`` when it asks."""
    ours, theirs = pty.openpty()
    environment = {**evolve.environment({"OPENAI_API_KEY": KEY}), "TERM": "dumb", "COLUMNS": "100"}
    command = [str(EVOLVE), *map(str, args)]
    with subprocess.Popen(
        command, cwd=evolve.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux says that the other end is closed
                break
            if not part:
                break
            said += part
            if b"[y/N]" in said and answer:
                os.write(ours, answer)
                answer = b""
    os.close(ours)
    return process.returncode, said.decode()


def test_without_a_terminal_a_paid_run_needs_a_yes_or_a_bound(
    evolve: Command, paid: list[object], server: SimServer, store: Path
) -> None:
    refused = evolve(*paid, OPENAI_API_KEY=KEY)
    assert refused.returncode == 1
    assert "nothing was sent" in refused.stderr
    assert "--yes" in refused.stderr
    assert "--max-cost" in refused.stderr
    assert "about $0.0" in refused.stderr
    assert (server.stats()["requests"], store.exists()) == (0, False)

    assert evolve(*paid, "--yes", OPENAI_API_KEY=KEY).returncode == 0
    assert server.stats()["requests"] == 15


def test_a_bound_is_consent_where_nobody_can_be_asked_and_a_finished_run_needs_none(
    evolve: Command, paid: list[object], server: SimServer
) -> None:
    done = evolve(*paid, "--max-cost", 5, OPENAI_API_KEY=KEY)
    assert done.returncode == 0
    assert "Estimated: 15 calls" in done.stderr
    assert evolve(*paid, OPENAI_API_KEY=KEY).returncode == 0
    assert server.stats()["requests"] == 15


def test_on_a_terminal_no_is_the_answer_that_spends_nothing(
    evolve: Command, paid: list[object], server: SimServer, store: Path
) -> None:
    code, said = in_terminal(evolve, paid, b"\n")
    assert code == 1
    assert "Left of run" in said
    assert "nothing was sent" in said
    assert (server.stats()["requests"], store.exists()) == (0, False)


def test_on_a_terminal_yes_begins_even_where_only_errors_are_to_be_told(
    evolve: Command, paid: list[object], server: SimServer
) -> None:
    code, said = in_terminal(evolve, [*paid, "--quiet", "--max-cost", 5], b"y\n")
    assert code == 0
    assert "It stops at $5.00 (--max-cost). Begin? [y/N]" in said
    assert server.stats()["requests"] == 15


def test_a_missing_key_is_told_instead_of_asking(evolve: Command, paid: list[object]) -> None:
    said = evolve("--pool", paid[1], "--model", "openai:gpt-4.1-mini")
    assert said.returncode == 1
    assert "OPENAI_API_KEY is not set" in said.stderr


def test_a_server_of_ones_own_is_not_asked_about_and_its_missing_price_is_told_once(
    evolve: Command, paid: list[object], server: SimServer
) -> None:
    own = paid[: paid.index("--price-in")]
    done = evolve(*own)
    assert done.returncode == 0
    assert done.stderr.count("No price is known") == 1
    assert server.stats()["requests"] == 15


def test_a_price_of_nothing_asks_nothing(evolve: Command, paid: list[object], server: SimServer) -> None:
    free = [*paid[: paid.index("--price-in")], "--price-in", 0, "--price-out", 0]
    done = evolve(*free)
    assert (done.returncode, "price" in done.stderr) == (0, False)


GATEWAY = ("--model", "openai:gpt-4.1-mini", "--base-url", "https://gateway.example.com/v1")
"""A model at a host that is nobody's own; no test gets so far as to ask it."""


@pytest.mark.parametrize("host", ["gateway.example.com", "eu.api.openai.com", "8.8.8.8"])
def test_a_model_at_any_host_that_is_not_ones_own_is_asked_about(
    evolve: Command, pool: Path, store: Path, host: str
) -> None:
    model = ("--model", "openai:gpt-4.1-mini", "--base-url", f"https://{host}/v1")
    refused = evolve("--pool", pool, *model, OPENAI_API_KEY=KEY)
    assert refused.returncode == 1
    assert "this run costs money" in refused.stderr
    assert "nothing was sent" in refused.stderr
    assert "--max-calls N" in refused.stderr
    assert "--price-as openai:NAME" in refused.stderr
    assert not store.exists()


def test_where_no_price_is_known_a_budget_in_dollars_is_refused_with_what_bounds_it_instead(
    evolve: Command, pool: Path, store: Path
) -> None:
    refused = evolve("--pool", pool, *GATEWAY, "--max-cost", 5, OPENAI_API_KEY=KEY)
    assert refused.returncode == 1
    assert "--max-cost cannot be kept" in refused.stderr
    assert "--max-calls N" in refused.stderr
    assert not store.exists()


def test_the_price_of_another_model_counts_for_one_that_has_none(evolve: Command, pool: Path) -> None:
    def quoted(*args: object) -> dict[str, Any]:
        said = evolve("estimate", "--pool", pool, *args, "--json")
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    own = quoted("--model", "openai:gpt-4.1-mini")
    assert quoted(*GATEWAY)["cost_usd"] is None
    assert quoted(*GATEWAY, "--price-as", "openai:gpt-4.1-mini")["cost_usd"] == pytest.approx(own["cost_usd"])
    free = quoted(*GATEWAY, "--price-as", "openai:gpt-4.1-mini", "--price-in", 0, "--price-out", 0)
    assert free["cost_usd"] == 0


@pytest.mark.parametrize("spec", ["openai:no-such-model", "nobody"])
def test_a_price_as_that_nobody_knows_is_told(evolve: Command, pool: Path, store: Path, spec: str) -> None:
    refused = evolve("--pool", pool, *GATEWAY, "--price-as", spec, OPENAI_API_KEY=KEY)
    assert refused.returncode in (1, 2)
    assert spec in refused.stderr
    assert "nothing was sent" in refused.stderr
    assert not store.exists()


def test_a_bound_on_the_calls_is_consent_where_no_price_is_known_and_nobody_can_be_asked(
    evolve: Command, paid: list[object], server: SimServer
) -> None:
    # A proxy of the user's own leads the name of a foreign host to the server, which knows nothing of proxies.
    proxied = ["--pool", paid[1], "--limit", 5, "--epochs", 1, "--model", "openai:gpt-4.1-mini"]
    address = server.openai_base_url.replace("http://", "").partition("/")[0]
    done = evolve(
        *proxied,
        "--base-url",
        "http://gateway.example.com/v1",
        "--max-calls",
        7,
        OPENAI_API_KEY=KEY,
        HTTP_PROXY=f"http://{address}",
    )
    assert "a price nobody knows at most" in done.stderr
    assert server.stats()["requests"] >= 1
    assert done.stderr.count("unencrypted") == 1
    assert done.stderr.index("unencrypted") < done.stderr.index("Estimated")


def test_a_key_that_goes_out_unencrypted_is_told_of_once_however_quiet_the_run_is(
    evolve: Command, paid: list[object], server: SimServer
) -> None:
    address = server.openai_base_url.replace("http://", "").partition("/")[0]
    done = evolve(
        *(
            "--pool",
            paid[1],
            "--limit",
            2,
            "--epochs",
            1,
            "--model",
            "openai:gpt-4.1-mini",
            "--quiet",
            "--yes",
        ),
        *("--base-url", "http://gateway.example.com/v1"),
        OPENAI_API_KEY=KEY,
        HTTP_PROXY=f"http://{address}",
    )
    told = "The key of openai goes to http://gateway.example.com/v1 unencrypted"
    assert done.stderr.count(told) == 1
    assert "Estimated" not in done.stderr


def test_a_script_is_warned_of_a_run_that_costs_money_and_goes_on(options: dict[str, Any]) -> None:
    evolution = Evolution(**options, price_in=1.0, price_out=2.0, limit=5, epochs=1)
    with pytest.warns(
        CostWarning, match=r"costs money \(15 calls, .* about \$0\.0.* at most\).*confirm=True"
    ):
        stats = evolution.run().stats
    assert stats.calls == 15
    assert stats.cost_usd is not None
    assert stats.cost_usd > 0


@pytest.mark.parametrize("given", [{"confirm": True}, {"max_cost": 5.0}, {"price_in": 0.0, "price_out": 0.0}])
def test_a_script_is_not_warned_where_the_cost_is_confirmed_bounded_or_none(
    given: dict[str, Any], options: dict[str, Any]
) -> None:
    """Warnings are errors here."""
    prices = {"price_in": 1.0, "price_out": 2.0}
    assert Evolution(**{**options, **prices, **given}, limit=2, epochs=1).run().stats.calls == 6


def test_a_script_is_not_warned_of_a_run_that_has_no_calls_left(options: dict[str, Any]) -> None:
    again = {**options, "price_in": 1.0, "price_out": 2.0, "limit": 2, "epochs": 1}
    Evolution(**again, confirm=True).run()
    assert Evolution(**again).run().session.paid.calls == 0
