"""Session and workers carry a job that evolver knows nothing of: resume after kill -9, budget, stop and progress."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.llmsim.process import SimServer
from evolver_store.connect import reading

TOY = Path(__file__).with_name("toy_job.py")
ROWS = 60


@pytest.fixture
def server() -> Iterator[SimServer]:
    with SimServer() as server:
        yield server


class Toy:
    """The job in a folder of its own."""

    def __init__(self, folder: Path, server: SimServer) -> None:
        self.folder, self.server = folder, server
        (folder / "rows.json").write_text(json.dumps([f"text {number}" for number in range(ROWS)]))

    def begin(self, max_cost: float = 100.0) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            TOY,
            "rows.json",
            "toy.db",
            self.server.openai_base_url,
            "out.json",
            max_cost,
        ]
        return subprocess.Popen(
            [*map(str, command)],
            cwd=self.folder,
            env={"PATH": "/usr/bin", "OPENAI_API_KEY": "sk-simulated-0123456789"},
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, max_cost: float = 100.0) -> tuple[int, str]:
        process = self.begin(max_cost)
        said = process.communicate()[1]
        return process.returncode, said

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with reading(self.folder / "toy.db") as engine, engine.connect() as conn:
            return [tuple(row) for row in conn.execute(text(query))]


@pytest.fixture
def toy(tmp_path: Path, server: SimServer) -> Toy:
    return Toy(tmp_path, server)


def test_the_toy_is_no_longer_than_sixty_lines() -> None:
    assert len(TOY.read_text().splitlines()) <= 60


def test_a_job_of_ones_own_asks_about_every_row_and_tells_each_call(toy: Toy, server: SimServer) -> None:
    status, said = toy.run()
    assert status == 0
    assert len(json.loads((toy.folder / "out.json").read_text())) == ROWS
    assert said.count("CallEnded") == ROWS
    assert toy.ask("SELECT name, kind, status FROM runs") == [("toy", "oss", "finished")]


def test_a_job_of_ones_own_that_was_killed_pays_for_nothing_twice(toy: Toy, server: SimServer) -> None:
    server.configure(hold_after=30)
    killed = toy.begin()
    server.wait(held=8)
    while toy.ask("SELECT count(*) FROM calls") != [(30,)]:
        pass  # the last answers are on their way to the disk
    killed.kill()
    killed.communicate()
    server.configure(hold=False)
    assert toy.run()[0] == 0
    assert len(json.loads((toy.folder / "out.json").read_text())) == ROWS
    assert server.stats()["asked_again"]["total"] <= 8


def test_the_budget_stops_a_job_of_ones_own_and_a_larger_one_goes_on(toy: Toy, server: SimServer) -> None:
    status, said = toy.run(max_cost=0.02)
    assert status != 0
    assert "--max-cost" in said
    assert "Stopping" in said
    [(spent,)] = toy.ask("SELECT sum(cost_usd) FROM calls")
    assert isinstance(spent, float)
    assert 0 < spent <= 0.02 * 1.02
    assert toy.ask("SELECT status FROM runs") == [("stopped",)]
    assert toy.run()[0] == 0
    assert server.stats()["asked_again"]["total"] == 0
