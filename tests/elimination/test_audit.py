"""What of finished data would die, and what a merge takes out of a run that is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from evolver.cli.main import main
from evolver.merge.dataset import merge
from evolver.merge.job import Cleaning, MergeSettings, RunSource
from tests.merge.conftest import plant as plant

Plant = Callable[..., RunSource]

ROWS = [
    {"instruction": "Evolve the given instruction so that it needs a deque.", "output": "Fine."},
    {"instruction": "Fix the bug in the following code.", "output": "I would need to see it first."},
    {"instruction": "Explain how tides come about.", "output": "Explain how tides come about."},
    {"instruction": "Explain why the sky is blue.", "output": "Short waves are scattered more."},
    {"instruction": "Name a prime.", "output": ""},
]


def audit(tmp_path: Path, *options: str) -> dict[str, object]:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    result = CliRunner().invoke(main, ["audit", str(file), *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout) if "--json" in options else {"text": result.stdout}


def test_an_audit_counts_each_row_for_each_rule_and_shows_samples(tmp_path: Path) -> None:
    found = audit(tmp_path, "--json", "--rules", "default")

    assert (found["rows"], found["dying"]) == (5, 3)
    deaths = {death["rule"]: death for death in found["deaths"]}  # type: ignore[attr-defined]
    assert {name: death["rows"] for name, death in deaths.items() if death["rows"]} == {
        "about_rewriting": 1,
        "missing_material": 1,
        "only_repeats": 1,
    }
    assert deaths["missing_material"]["samples"] == [
        {
            "row": 1,
            "instruction": ROWS[1]["instruction"],
            "reason": "the rewrite points to 'the following code', and nothing is there",
        }
    ]
    assert "no_information_gain" in found["not_asked"]  # type: ignore[operator]


def test_an_audit_reads_well_without_a_program(tmp_path: Path) -> None:
    text = str(audit(tmp_path, "--samples", "0")["text"])

    assert "5 rows, 3 of them (60.0%) would die" in text
    assert "row 1" not in text


def test_a_merge_with_rules_drops_what_a_run_would_have_dropped(plant: Plant, tmp_path: Path) -> None:
    seed = "Explain how tides come about in the open sea."
    rows = [
        (0, 0, seed, "The moon pulls."),
        (0, 1, "Evolve the given instruction so that it asks for figures.", "Well."),
        (1, 0, "Rewrite this prompt so that it is short: sort it, please.", "Sort it."),
        (1, 1, "Rewrite this prompt so that it is polite: sort it.", "Please sort it."),
        (2, 0, "Name a sea.", "North Sea"),
        (2, 1, "word " * 120, "Long."),
    ]
    source = plant(tmp_path / "s.db", rows)
    cleaning = Cleaning(rules=("default", "longer_than_parent"), skip_rules=("refusal",))

    report = merge(
        [source], tmp_path / "o.jsonl", MergeSettings(), cleaning=cleaning, report_to=tmp_path / "r.json"
    )

    # A seed has no parent to have it from; its child has.
    assert report.dropped == {"rule about_rewriting": 2, "rule longer_than_parent": 1}
    told = json.loads((tmp_path / "r.json").read_text("utf-8"))["dropped_rows"]
    assert {(row["reason"], row["rule"]) for row in told} == {
        ("rule", "about_rewriting"),
        ("rule", "longer_than_parent"),
    }


def test_every_rule_is_listed_with_what_it_reads_and_whether_it_is_on() -> None:
    result = CliRunner().invoke(main, ["rules", "--json"])
    rules = {row["name"]: row for row in map(json.loads, result.stdout.splitlines())}

    assert rules["about_rewriting"]["default"] is True
    assert rules["answer_given"] | {"drops": ""} == {
        "name": "answer_given",
        "reads": "response",
        "default": False,
        "needs_parent": False,
        "precise": 3,
        "dropped": 4,
        "drops": "",
    }
    assert all(row["drops"].endswith(".") for row in rules.values())
