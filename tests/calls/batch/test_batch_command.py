"""``evolve batches`` and ``evolve --batch`` as commands, and a real kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evolver.cli.main import main
from evolver.errors import BatchMissingError, SettingsError
from evolver.events import BatchProgress, Event


@pytest.fixture
def in_flight(runner: Any) -> str:
    """A store with one batch in flight at the provider."""
    runner.sim.configure(batch_hold=True)

    def stop(event: Event) -> None:
        if isinstance(event, BatchProgress) and event.batches:
            evolution.stop()

    evolution = runner.make("held.db", epochs=1, on_event=stop)
    with pytest.raises(Exception, match="stopped"):
        evolution.run()
    return str(runner.folder / "held.db")


def test_the_list_shows_what_is_in_flight(in_flight: str) -> None:
    shown = CliRunner().invoke(main, ["batches", "--store", in_flight], env={"COLUMNS": "120"})
    listed = CliRunner().invoke(main, ["batches", "--store", in_flight, "--json"])

    (batch,) = map(json.loads, listed.stdout.splitlines())
    assert (batch["status"], batch["requests"], batch["run"]) == ("submitted", 9, "r")
    assert batch["provider_id"].startswith("batch_sim")
    assert batch["key"] in shown.stdout
    assert "submitted" in shown.stdout


def test_a_store_without_batches_says_how_to_make_one(runner: Any) -> None:
    runner.run("live.db", epochs=1, batch=False)
    result = CliRunner().invoke(main, ["batches", "--store", str(runner.folder / "live.db")])

    assert (result.exit_code, result.stdout) == (0, "")
    assert "--batch" in result.stderr


def test_a_cancelled_batch_is_collected_and_the_rest_submitted_by_the_next_run(
    runner: Any, in_flight: str
) -> None:
    address = ["--base-url", runner.base_url("openai")]
    result = CliRunner().invoke(main, ["batches", "--store", in_flight, "cancel", "batch_", *address])
    assert result.exit_code == 0
    assert "being cancelled" in result.stderr
    assert [row["status"] for row in runner.ask("held.db", "SELECT status FROM batches")] == ["cancelling"]

    runner.sim.configure(batch_hold=False)
    runner.run("held.db", epochs=1)
    figures = runner.batches()
    assert figures["canceled"] > 0
    assert figures["succeeded"] > 0
    assert figures["custom_ids"]["repeated"]["total"] == 0
    assert {row["status"] for row in runner.ask("held.db", "SELECT status FROM batches")} == {
        "cancelled",
        "ended",
    }


def test_no_key_goes_to_an_address_that_only_the_store_names(runner: Any, in_flight: str) -> None:
    before = runner.sim.stats()["requests"]
    result = CliRunner().invoke(main, ["batches", "--store", in_flight, "cancel", "batch_"])

    assert isinstance(result.exception, SettingsError)
    assert runner.base_url("openai") in str(result.exception)
    assert "--base-url" in str(result.exception)
    assert runner.sim.stats()["requests"] == before
    assert [row["status"] for row in runner.ask("held.db", "SELECT status FROM batches")] == ["submitted"]


def test_a_batch_the_provider_does_not_know_is_given_up(
    runner: Any, in_flight: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import text

    from evolver_store.connect import open_for_writing

    engine = open_for_writing(in_flight)
    with engine.begin() as conn:
        conn.execute(text("UPDATE batches SET provider_id = 'batch_of_another_key'"))
    engine.dispose()
    with pytest.raises(Exception, match="evolve batches cancel batch_of_another_key"):
        runner.run("held.db", epochs=1)

    monkeypatch.setenv("OPENAI_BASE_URL", runner.base_url("openai"))
    result = CliRunner().invoke(main, ["batches", "--store", in_flight, "cancel", "batch_of"])
    assert "given up" in result.stderr
    runner.sim.configure(batch_hold=False)
    assert runner.run("held.db", epochs=1).stats.attempts == 10


def test_an_unknown_name_is_a_sentence(in_flight: str) -> None:
    result = CliRunner().invoke(main, ["batches", "cancel", "nothing", "--store", in_flight])

    assert isinstance(result.exception, BatchMissingError)
    assert in_flight in str(result.exception)


def test_killed_with_a_batch_in_flight_the_same_command_collects_it(runner: Any, tmp_path: Path) -> None:
    store = str(tmp_path / "killed.db")
    code = "import sys; from evolver.cli.main import run; sys.argv[0] = 'evolve'; run()"
    command = [
        sys.executable,
        "-c",
        code,
        "--pool",
        str(runner.pool),
        "--epochs",
        "1",
        "--run",
        "r",
        "--batch",
    ]
    command += [
        "--model",
        "openai:gpt-4.1-mini",
        "--base-url",
        runner.base_url("openai"),
        "--store",
        store,
        "--yes",
    ]
    command += [
        "--output",
        str(tmp_path / "out.jsonl"),
        "--batch-poll",
        "0.05",
        "--price-in",
        "1",
        "--price-out",
        "1",
    ]
    runner.sim.configure(batch_hold=True)
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ), cwd=tmp_path) as process:
        while not runner.sim.stats()["by_path"].get("/v1/batches", 0) > 3:  # one submission, then looks at it
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    runner.sim.configure(batch_hold=False)
    again = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert again.returncode == 0, again.stderr
    assert runner.batches()["custom_ids"]["asked_again"]["total"] == 0
    assert len(runner.lineage("killed.db")) == 20
