"""A run against each server's dialect ends with the lineage of a run against the plain one.

A few seeds by default; ``EVOLVER_DIALECT_SEEDS=200`` for the whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.llmsim.dialects import DIALECTS
from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver_store.connect import reading

SEEDS = int(os.environ.get("EVOLVER_DIALECT_SEEDS", "4"))
OTHERS = sorted(DIALECTS.keys() - {"plain", "anthropic-thinking"})
LEAKS = ("Okay, the given prompt", "draft", "<think", "</think", "<|", "[THINK", "◁")


@pytest.fixture(scope="module")
def sim() -> Iterator[SimServer]:
    with SimServer(dialect="plain") as running:
        yield running


@pytest.fixture(scope="module")
def plain(sim: SimServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    folder = tmp_path_factory.mktemp("plain")
    return {api: run(sim, folder / f"{api}.db", "plain", api)[0] for api in ("openai", "anthropic")}


def run(
    sim: SimServer, store: Path, dialect: str, api: str = "openai", **more: Any
) -> tuple[list[Any], list[Any]]:
    """Run 2 epochs; return the lineage, and the calls' reasoning."""
    sim.configure(dialect=dialect)
    pool = [{"instruction": f"Explain in short how thing number {number} works."} for number in range(SEEDS)]
    url = sim.openai_base_url if api == "openai" else sim.anthropic_base_url
    Evolution(pool=pool, epochs=2, model=f"{api}:sim", base_url=url, store=str(store), seed=7, **more).run()
    with reading(store) as engine, engine.connect() as conn:
        lineage = conn.execute(
            text(
                "SELECT root_id, epoch, mutator, status, rule, instruction, response FROM instructions ORDER BY id"
            )
        ).all()
        thoughts = conn.execute(text("SELECT purpose, reasoning, completion FROM calls")).all()
    return [tuple(row) for row in lineage], [tuple(row) for row in thoughts]


@pytest.mark.parametrize("dialect", OTHERS)
def test_a_run_in_a_dialect_has_the_lineage_of_the_plain_one(
    dialect: str, sim: SimServer, plain: dict[str, list[Any]], tmp_path: Path
) -> None:
    lineage, calls = run(sim, tmp_path / "e.db", dialect)
    assert lineage == plain["openai"]
    assert not any(leak in str(row[-2:]) for row in lineage for leak in LEAKS)
    if DIALECTS[dialect].place is not None and dialect != "azure":
        assert all(reasoning and reasoning.startswith("Okay, the given prompt") for _, reasoning, _ in calls)


def test_thinking_blocks_leave_the_lineage_of_a_plain_run(
    sim: SimServer, plain: dict[str, list[Any]], tmp_path: Path
) -> None:
    lineage, calls = run(sim, tmp_path / "e.db", "anthropic-thinking", "anthropic")
    assert lineage == plain["anthropic"]
    assert all(reasoning for _, reasoning, _ in calls)
