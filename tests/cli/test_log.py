"""``-v``, ``--log`` and ``--dry-run``: what is told of each call, and that nothing is asked for an estimate."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.llmsim.process import SimServer
from evolver.cli.main import main

KEY = "sk-test-0123456789abcdefghij"
LINE = re.compile(r"\d{4}-\S+ \S+ (evolve|judge|answer) openai:sim row \d+/\d+ try \d+: .+ in \d+\.\d\d s")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pool.txt").write_text("Name a river of Europe.\nName a lake of Africa.\n")
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[SimServer]:
    with SimServer(rate_429=0.3) as running:
        yield running


def run(server: SimServer, *more: str) -> Result:
    told = ["--model", "openai:sim", "--base-url", server.openai_base_url, "--epochs", "2", "--yes"]
    return CliRunner().invoke(main, ["run", "--pool", "pool.txt", *told, *more])


def test_a_log_has_a_line_for_every_try_and_neither_key_nor_text(folder: Path, server: SimServer) -> None:
    done = run(server, "--log", "calls.log")
    assert done.exit_code == 0, done.exception
    lines = (folder / "calls.log").read_text().splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert any("/1 try 1: stop" in line for line in lines)
    assert any(": TransientModelError: rate_limited" in line for line in lines)
    assert {line.split()[2] for line in lines} == {"evolve", "judge", "answer"}
    everything = "\n".join(lines)
    assert KEY not in everything
    assert "river" not in everything
    assert stat.S_IMODE((folder / "calls.log").stat().st_mode) == 0o600


def test_v_logs_on_stderr_and_vv_the_texts_as_well(server: SimServer) -> None:
    once = run(server, "-v", "--store", "a.db", "--output", "a.jsonl").stderr
    assert "evolve openai:sim row 1/1 try 1: " in once
    assert "sent " not in once
    twice = run(server, "-vv", "--store", "b.db", "--output", "b.jsonl").stderr
    assert "river of Europe" in twice
    assert "; got " in twice
    assert KEY not in once + twice


def test_calls_that_are_kept_are_told_apart(folder: Path, server: SimServer) -> None:
    run(server)
    run(server, "--run", "again", "--output", "again.jsonl", "--log", "calls.log")
    lines = (folder / "calls.log").read_text().splitlines()
    assert lines
    assert all(" try 0: kept or in a batch in " in line for line in lines)


def test_nothing_is_logged_unless_it_is_asked_for(server: SimServer) -> None:
    assert "openai:sim row" not in run(server, "--store", "c.db").stderr
    assert logging.getLogger("evolver").handlers == []


def test_a_log_that_cannot_be_written_starts_nothing(folder: Path, server: SimServer) -> None:
    done = run(server, "--log", "no/where.log")
    assert "cannot be written" in str(done.exception)
    assert sorted(path.name for path in folder.iterdir()) == ["pool.txt"]


def test_a_dry_run_prints_the_estimate_and_writes_nothing(folder: Path, server: SimServer) -> None:
    dry = run(server, "--dry-run", "--json")
    told = ["--model", "openai:sim", "--base-url", server.openai_base_url, "--epochs", "2"]
    estimate = CliRunner().invoke(main, ["estimate", "--pool", "pool.txt", *told, "--json"])
    assert json.loads(dry.stdout) == json.loads(estimate.stdout)
    assert sorted(path.name for path in folder.iterdir()) == ["pool.txt"]
