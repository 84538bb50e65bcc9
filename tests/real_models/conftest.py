"""Whole runs against the simulated provider: real sockets, real SDKs, real stores, the installed command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.llmsim.process import SimServer
from evolver.cli.main import run
from evolver_store.connect import reading

EVOLVE = Path(sys.executable).with_name("evolve")
KEY = "sk-simulated-0123456789"
VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")

Finished = subprocess.CompletedProcess[str]


class Command:
    """``evolve``, in a folder and with an environment of its own, and with no terminal anywhere."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._begun: list[subprocess.Popen[str]] = []

    def __call__(self, *args: object, **env: str) -> Finished:
        """Run it to its end in this process, from the installed script's entry point to its exit status."""
        status: object = 0
        with self._monkeypatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["evolve", *map(str, args)])
            for variable in VARIABLES:
                patch.delenv(variable, raising=False)
            for variable, value in env.items():
                patch.setenv(variable, value)
            try:
                run()
            except SystemExit as end:
                status = end.code
        out, err = self._capsys.readouterr()
        return subprocess.CompletedProcess(
            [*map(str, args)], status if isinstance(status, int) else 1, out, err
        )

    def begin(self, *args: object, **env: str) -> subprocess.Popen[str]:
        """Start the installed script as a process of its own."""
        process = subprocess.Popen(
            [EVOLVE, *map(str, args)],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._begun.append(process)
        return process

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """Return what a process is to see: no keys but those given."""
        inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        return {**inherited, **more}

    def stop(self) -> None:
        """End whatever a failed test has left running."""
        for process in self._begun:
            if process.poll() is None:
                process.kill()
                process.communicate()


@pytest.fixture
def evolve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    command = Command(tmp_path, monkeypatch, capsys)
    yield command
    command.stop()


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """Sixty seeds of differing lengths."""
    rows = [
        {
            "instruction": f"Name {number} rivers of Europe{' and their lakes' * (number % 5)}.",
            "output": "Here.",
        }
        for number in range(60)
    ]
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "evolve.db"


@pytest.fixture
def ask_store(store: Path) -> Callable[[str], list[dict[str, Any]]]:
    """Ask the store in SQL."""

    def query(sql: str, path: Path = store) -> list[dict[str, Any]]:
        with reading(path) as engine, engine.connect() as conn:
            return [dict(row) for row in conn.execute(text(sql)).mappings()]

    return query


@pytest.fixture
def server() -> Iterator[SimServer]:
    with SimServer() as running:
        yield running


@pytest.fixture
def options(pool: Path, store: Path, server: SimServer) -> dict[str, Any]:
    """What every run in Python needs to reach the server."""
    return {
        "pool": pool,
        "store": str(store),
        "output": None,
        "model": "openai:gpt-4.1-mini",
        "base_url": server.openai_base_url,
        "concurrency": 16,
    }


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key that no provider knows, and no address from outside."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
