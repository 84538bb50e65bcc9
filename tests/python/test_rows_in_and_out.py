"""Python objects as pools, and results as rows, DataFrames and data sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import datasets
import pandas
import pytest

import evolver
from evolver import Evolution, Lineage, PluginError, Result

ROWS = [{"instruction": f"Name {n} rivers.", "output": f"Here are {n} of them."} for n in range(2, 8)]


def _generated() -> Iterator[dict[str, str]]:
    yield from ROWS


POOLS: Mapping[str, Callable[[Path], Any]] = {
    "list": lambda folder: ROWS,
    "generator": lambda folder: _generated(),
    "DataFrame": lambda folder: pandas.DataFrame(ROWS),
    "Dataset": lambda folder: datasets.Dataset.from_list(ROWS),
}


def evolved(pool: Any, folder: Path, **options: Any) -> Result:
    return Evolution(pool, epochs=2, store=folder / "e.db", **options).run()


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return evolved(ROWS, tmp_path)


@pytest.mark.parametrize("kind", POOLS)
def test_rows_in_python_are_evolved_as_a_file_of_them_is(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "pool.json").write_text(json.dumps(ROWS), "utf-8")
    expected = evolved(tmp_path / "pool.json", tmp_path / "file")

    found = evolved(POOLS[kind](tmp_path), tmp_path)

    assert found.stats.seeds == 6
    assert [row["instruction"] for row in found.rows(dead=True)] == [
        row["instruction"] for row in expected.rows(dead=True)
    ]


def test_texts_alone_are_a_pool(tmp_path: Path) -> None:
    found = evolved(["Name a river.", "Name a lake."], tmp_path)
    assert [row["instruction"] for row in found.rows() if row["epoch"] == 0] == [
        "Name a river.",
        "Name a lake.",
    ]


def test_the_rows_of_a_result_are_its_seeds_and_survivors(result: Result) -> None:
    rows = result.rows()
    assert len(rows) == result.stats.seeds + result.stats.survivors
    assert {row["status"] for row in rows} == {"seed", "survivor"}
    assert len(result.rows(dead=True)) == result.stats.seeds + result.stats.attempts
    assert rows == Lineage(result.store).rows(result.run)


def test_the_rows_are_those_of_this_run_alone(result: Result, tmp_path: Path) -> None:
    other = evolved(["Name a mountain."], tmp_path)
    assert {row["run_id"] for row in other.rows()} == {2}
    assert {row["run_id"] for row in result.rows()} == {1}


def test_a_result_becomes_a_data_frame_with_exact_ids(result: Result) -> None:
    frame = result.to_pandas(dead=True)
    assert str(frame["parent_id"].dtype) == "Int64"
    assert list(frame["id"]) == [row["id"] for row in result.rows(dead=True)]
    assert list(result.to_pandas()["status"].unique()) == ["seed", "survivor"]


def test_a_result_becomes_a_data_set(result: Result) -> None:
    made = result.to_dataset()
    assert made["instruction"] == [row["instruction"] for row in result.rows()]
    assert len(result.to_dataset(dead=True)) == result.stats.seeds + result.stats.attempts


def test_nothing_but_the_store_is_written_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert evolved(ROWS, tmp_path).dataset is None
    assert {path.name.removesuffix("-wal").removesuffix("-shm") for path in tmp_path.iterdir()} == {"e.db"}

    written = evolved(ROWS, tmp_path, output="asked.jsonl").dataset
    assert written is not None
    assert (tmp_path / "asked.jsonl").read_text("utf-8").count("\n") == written.rows


@pytest.mark.parametrize(
    "mutators", [{"deepen": 1, "breadth": 9}, ["deepen=1", {"breadth": 9}], "deepen=1,breadth=9"]
)
def test_a_mapping_of_mutators_gives_them_their_weights(mutators: Any, tmp_path: Path) -> None:
    plan = Evolution(ROWS, mutators=mutators).plan()
    assert {one.name: one.weight for one in plan.mutators} == {"deepen": 1, "breadth": 9}


def test_a_mapping_weighs_presets_and_objects_too() -> None:
    @evolver.mutator(family="depth")
    def shouted(instruction: str) -> str:
        """Ask for it louder."""
        return f"Rewrite it in capitals: {instruction}"

    weights = {
        one.name: one.weight for one in Evolution(ROWS, mutators={"wizardlm": 2, shouted: 3}).plan().mutators
    }
    assert (weights["deepen"], weights["shouted"]) == (2, 3)


@pytest.mark.parametrize("weight", [0, -1, "2", float("nan")])
def test_a_weight_that_is_none_is_refused(weight: Any) -> None:
    with pytest.raises(PluginError, match=r"'deepen': the weight .* is no number above 0; nothing was run"):
        Evolution(ROWS, mutators={"deepen": weight, "breadth": 9}).plan()
