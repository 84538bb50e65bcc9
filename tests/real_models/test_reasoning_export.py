"""A run against a model that thinks, and what of its thoughts the dataset has: as the run's option, and as merge's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.llmsim.process import SimServer
from tests.real_models.conftest import Command


def run(server: SimServer, pool: Path, *more: object) -> list[object]:
    model = ("--model", "openai:mine", "--base-url", server.openai_base_url)
    return ["--pool", pool, *model, "--epochs", 1, "--limit", 5, *more]


def rows(evolve: Command, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (evolve.folder / name).read_text("utf-8").splitlines()]


def test_a_run_writes_what_the_model_thought_where_it_is_told_to(
    evolve: Command, pool: Path, server: SimServer
) -> None:
    server.configure(dialect="deepseek")

    done = evolve(*run(server, pool, "--reasoning", "inline"))
    merged = evolve("merge", "--reasoning", "field", "--format", "messages")

    assert (done.returncode, merged.returncode) == (0, 0), done.stderr + merged.stderr
    thoughtful = [row for row in rows(evolve, "evolved.jsonl") if row["output"].startswith("<think>\n")]
    fields = [
        row
        for row in rows(evolve, "merged.jsonl")
        if row["messages"][-1].get("reasoning_content", "").strip()
    ]
    assert len(thoughtful) == len(fields) == 5
    assert all("\n</think>\n\n" in row["output"] for row in thoughtful)
    assert not any("<think>" in json.dumps(row) for row in fields)


def test_a_format_without_a_field_is_refused_before_anything_is_sent(
    evolve: Command, pool: Path, server: SimServer
) -> None:
    done = evolve(*run(server, pool, "--reasoning", "field", "--format", "sharegpt"))

    assert done.returncode == 1
    assert "the format sharegpt has no field for reasoning" in done.stderr
    assert server.stats()["requests"] == 0
    assert not (evolve.folder / "evolve.db").exists()
