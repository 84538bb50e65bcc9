"""Runs in batches against the simulated provider, over real sockets, with a pool of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import text

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver.events import Event
from evolver.result import Result
from evolver_store.connect import reading

ProviderName = Literal["openai", "anthropic"]
SPECS = {"openai": "openai:gpt-4.1-mini", "anthropic": "anthropic:claude-sonnet-4-0"}
_TIMES_AND_MONEY = ("created_at", "cost_usd")


@pytest.fixture(scope="session")
def one_sim() -> Iterator[SimServer]:
    with SimServer(style="offline") as server:
        yield server


@pytest.fixture
def sim(one_sim: SimServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimServer]:
    """One server for all tests, with its settings and counters as at the start."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    before = one_sim.configure()
    one_sim.reset()
    yield one_sim
    one_sim.configure(**before)


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    rows = [
        {"instruction": f"Explain why {what} matters to a beginner.", "output": f"It matters: {what}."}
        for what in (
            "testing",
            "sleep",
            "soil",
            "rhythm",
            "trust",
            "salt",
            "shade",
            "grammar",
            "rest",
            "wind",
        )
    ]
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@dataclass
class Runner:
    """Runs the pool over two epochs; ``events`` are those of the latest run."""

    sim: SimServer
    pool: Path
    folder: Path
    events: list[Event]

    def base_url(self, provider: str) -> str:
        return self.sim.openai_base_url if provider == "openai" else self.sim.anthropic_base_url

    def make(
        self,
        store: str,
        provider: str = "openai",
        on_event: Callable[[Event], None] = lambda event: None,
        **options: Any,
    ) -> Evolution:
        self.events.clear()

        def listen(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        given: dict[str, Any] = {
            "model": SPECS[provider],
            "epochs": 2,
            "output": None,
            "batch": True,
            "batch_poll": 0.01,
            "confirm": True,
            "price_in": 1.0,
            "price_out": 2.0,
            "run": "r",
            "base_url": self.base_url(provider),
            "store": str(self.folder / store),
        }
        return Evolution(self.pool, on_event=listen, **{**given, **options})

    def run(self, store: str, provider: str = "openai", **options: Any) -> Result:
        return self.make(store, provider, **options).run()

    def ask(self, store: str, query: str) -> list[dict[str, Any]]:
        with reading(str(self.folder / store)) as engine, engine.connect() as conn:
            return [dict(row) for row in conn.execute(text(query)).mappings()]

    def lineage(self, store: str) -> list[dict[str, Any]]:
        rows = self.ask(store, "SELECT * FROM instructions ORDER BY id")
        return [{key: value for key, value in row.items() if key not in _TIMES_AND_MONEY} for row in rows]

    def batches(self) -> dict[str, Any]:
        figures: dict[str, Any] = self.sim.stats()["batches"]
        return figures


@pytest.fixture
def runner(sim: SimServer, pool: Path, tmp_path: Path) -> Runner:
    return Runner(sim, pool, tmp_path, [])
