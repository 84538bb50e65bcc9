"""Money is spent after a yes, or after somebody bounded it; never because nobody could be asked."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
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


def test_python_code_is_not_asked(options: dict[str, Any]) -> None:
    stats = Evolution(**options, price_in=1.0, price_out=2.0, limit=5, epochs=1).run().stats
    assert stats.calls == 15
    assert stats.cost_usd is not None
    assert stats.cost_usd > 0
