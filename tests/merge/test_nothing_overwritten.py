"""No output takes the place of an input, of a store, or of what somebody else wrote, unless it is asked to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evolver import Evolution
from evolver.cli.main import main
from evolver.errors import OutputError, SettingsError
from evolver.merge.public import merge

POOL = [{"instruction": f"Explain how the word {word} came about.", "output": "Slowly."} for word in "abc"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    Path("pool.json").write_text(json.dumps(POOL), "utf-8")


def run(**options: Any) -> None:
    Evolution("pool.json", **{"epochs": 1, "output": "evolved.jsonl", **options}).run()


def command(*args: str) -> Result:
    return CliRunner().invoke(main, ["merge", *args])


def test_the_same_run_replaces_its_own_output_and_another_run_does_not() -> None:
    run()
    run(epochs=2)
    before = Path("evolved.jsonl").read_bytes()

    with pytest.raises(OutputError, match="--force"):
        run(seed=5, epochs=2)
    assert Path("evolved.jsonl").read_bytes() == before

    run(seed=5, force=True)
    run(seed=5)
    with pytest.raises(OutputError, match="changed since"):
        run(epochs=2)


def test_an_output_that_was_edited_since_is_not_replaced() -> None:
    run()
    with Path("evolved.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"instruction": "by hand", "output": "dear to me"}\n')

    with pytest.raises(OutputError, match="has been changed since it was written"):
        run(epochs=2)
    assert "dear to me" in Path("evolved.jsonl").read_text("utf-8")


def test_an_empty_file_is_nothing_to_lose() -> None:
    Path("evolved.jsonl").touch()

    run()

    assert Path("evolved.jsonl").stat().st_size > 0


def test_the_folder_of_a_dataset_is_known_again_and_one_with_another_file_is_not() -> None:
    run(output="set")
    run(output="set", epochs=2)
    (Path("set") / "README.md").write_text("mine", "utf-8")

    with pytest.raises(OutputError, match="changed since"):
        run(output="set", epochs=2)


@pytest.mark.parametrize(
    "output", ["./evolve.db", "EVOLVE.DB", "evolve.db-wal", "evolve.db-shm", "sub/../evolve.db", "link.json"]
)
def test_a_report_is_never_a_store_or_what_lies_beside_it(output: str) -> None:
    run()
    Path("sub").mkdir()
    os.symlink("evolve.db", "link.json")
    before = Path("evolve.db").read_bytes()

    for force in (False, True):
        with pytest.raises(SettingsError, match=r"--report .* is .*the store"):
            merge("new.jsonl", report=output, force=force)
    assert Path("evolve.db").read_bytes() == before
    assert not Path("new.jsonl").exists()


def test_no_output_is_an_input_or_another_output() -> None:
    run()
    os.link("evolved.jsonl", "again.jsonl")

    for output, options in (
        ("again.jsonl", {"oss": "evolved.jsonl"}),
        ("again.jsonl", {"decontaminate": "evolved.jsonl"}),
        ("same.json", {"report": "./same.json"}),
    ):
        with pytest.raises(SettingsError, match="nothing was replaced"):
            merge(output, force=True, **options)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="replaced as a whole"):
        merge("set", report="set/report.json")
    with pytest.raises(SettingsError, match="--pool"):
        run(output="POOL.json")


def test_a_merge_replaces_what_it_wrote_and_nothing_else() -> None:
    run()
    for _ in range(2):
        assert command("--output", "m.jsonl", "--report", "r.json", "--dedup", "exact").exit_code == 0
    Path("other.json").write_text('{"dear": "to me"}', "utf-8")

    refused = command("--output", "m.jsonl", "--report", "other.json")
    assert refused.exit_code == 1
    assert json.loads(Path("other.json").read_text("utf-8")) == {"dear": "to me"}
    assert command("--output", "evolved.jsonl").exit_code == 1

    assert command("--output", "m.jsonl", "--report", "other.json", "--force").exit_code == 0


def test_the_account_names_run_model_and_state() -> None:
    run()

    said = command("--output", "m.jsonl")

    assert "from the run pool-" in said.stderr
    assert "(offline/1, finished)" in said.stderr
    assert "no training data" in said.stderr


def test_a_merge_of_files_alone_says_that_no_run_joined() -> None:
    said = command("--oss", "pool.json", "--output", "m.jsonl")

    assert "No run joined" in said.stderr


def test_python_takes_every_option_of_the_command() -> None:
    run()

    report = merge(
        "set.parquet",
        stores=["evolve.db"],
        oss="pool.json",
        format="messages",
        order="sequential",
        epochs=(0, 1),
        dedup="near",
        near_spare_family=True,
        rules=["default"],
        provenance=True,
        report=Path("r.json"),
        seed=3,
    )

    assert report.rows == report.oss + report.seeds + report.survivors
    assert [one.name for one in report.runs] == [
        json.loads(Path("r.json").read_text("utf-8"))["runs"][0]["name"]
    ]
