"""Public pools, where EVOLVER_POOLS names a folder that holds them; no row of theirs is in this project."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from evolver.pool import PoolReport, read_pool

POOLS = Path(os.environ.get("EVOLVER_POOLS", ""))
pytestmark = pytest.mark.skipif(not os.environ.get("EVOLVER_POOLS"), reason="EVOLVER_POOLS names no folder")


def test_code_alpaca_joins_to_exactly_the_published_texts() -> None:
    path = POOLS / "code_alpaca_2017.json"
    rows = json.loads(path.read_text("utf-8"))
    report = PoolReport()
    seeds = list(read_pool(path, strict=True, report=report))

    assert [seed.instruction for seed in seeds] == [
        f"{row['instruction']}\n{row['input']}"
        if row["input"] not in ("", "No input")
        else row["instruction"]
        for row in rows
    ]
    assert [seed.response for seed in seeds] == [row["output"] or None for row in rows]
    assert (report.seeds, report.skipped.total(), dict(report.unanswered)) == (2017, 0, {"empty output": 2})


def test_alpaca_keeps_every_row_and_leaves_out_22_responses_that_run_on() -> None:
    report = PoolReport()
    seeds = list(read_pool(POOLS / "alpaca_2000.json", report=report))

    assert [seed.ordinal for seed in seeds] == list(range(2000))
    assert (report.skipped.total(), dict(report.unanswered)) == (0, {"merged rows": 22})


def test_alpaca_inputs_that_mean_none_are_left_out_wherever_they_are_the_whole_input() -> None:
    """One row quotes the word behind other text of its input, which stays as it is."""
    seeds = read_pool(POOLS / "alpaca_2000.json")
    last = {seed.ordinal: seed.instruction.rpartition("\n")[2].lower() for seed in seeds}

    assert [place for place, line in last.items() if "noinput" in line or line.startswith("no input")] == [
        1345
    ]


def test_self_instruct_tasks_give_one_seed_an_instance() -> None:
    report = PoolReport()
    seeds = list(read_pool(POOLS / "self_instruct_175.jsonl", strict=True, report=report))

    assert (len(seeds), report.format) == (175, "JSONL of self-instruct rows")
    assert seeds[0].details == {"id": "seed_task_0"}
