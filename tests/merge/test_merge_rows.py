"""Which rows go into a dataset, and in which order."""

from __future__ import annotations

import json
import tracemalloc
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from evolver.errors import OutputError, SettingsError, StoreError
from evolver.merge.dataset import merge
from evolver.merge.job import MergeSettings, Order, RunSource
from evolver.merge.order import in_order
from evolver.merge.runs import RunReader
from evolver.merge.texts import slices_of_rows
from evolver_store.schema import row_id

Plant = Callable[..., RunSource]


def family(ordinal: int, epochs: int) -> list[tuple[int, int, str, str | None]]:
    return [(ordinal, epoch, f"{ordinal}.{epoch}", "fine") for epoch in range(epochs + 1)]


def names(output: Path) -> list[str]:
    return [json.loads(line)["instruction"] for line in output.read_text("utf-8").splitlines()]


def test_seeds_and_survivors_are_written_and_the_dead_are_not(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", family(0, 2))
    plant(tmp_path / "s.db", [(1, 1, "dead", "fine")], status="eliminated")
    plant(tmp_path / "s.db", [(1, 2, "failed", "fine")], status="failed")

    report = merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert sorted(names(tmp_path / "o.jsonl")) == ["0.0", "0.1", "0.2"]
    assert (report.rows, report.seeds, report.survivors) == (3, 1, 2)
    assert report.by_epoch == {0: 1, 1: 1, 2: 1}
    assert report.size == (tmp_path / "o.jsonl").stat().st_size


@pytest.mark.parametrize("blank", [None, "", "  ", "\t\r\n\x0b\x0c", "\u3000\u00a0\u2028\x85", "\x1c\x1f"])
def test_a_row_that_white_space_answers_is_left_out_and_counted(
    plant: Plant, tmp_path: Path, blank: str | None
) -> None:
    rows = [(0, 0, "blank", blank), (1, 0, "seed", "x"), (2, 1, "evolved", blank), (3, 1, "again", blank)]

    report = merge([plant(tmp_path / "s.db", rows)], tmp_path / "o.jsonl", MergeSettings())

    assert names(tmp_path / "o.jsonl") == ["seed"]
    assert (report.seeds_without_response, report.survivors_without_response) == (1, 2)


@pytest.mark.parametrize("response", ["\x00", "\u200b", " . ", "\u3000は\u3000"])
def test_a_response_of_anything_but_white_space_counts(plant: Plant, tmp_path: Path, response: str) -> None:
    merge([plant(tmp_path / "s.db", [(0, 0, "seed", response)])], tmp_path / "o.jsonl", MergeSettings())

    assert json.loads((tmp_path / "o.jsonl").read_bytes())["output"] == response


def test_only_the_run_asked_for_is_written(plant: Plant, tmp_path: Path) -> None:
    plant(tmp_path / "s.db", [(0, 0, "one", "x")], run=1)
    source = plant(tmp_path / "s.db", [(0, 0, "two", "x")], run=2)
    plant(tmp_path / "s.db", [(0, 0, "three", "x")], run=3)

    merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert names(tmp_path / "o.jsonl") == ["two"]


def test_both_ends_of_the_epoch_range_are_in_it(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", family(0, 4))

    report = merge([source], tmp_path / "o.jsonl", MergeSettings(epochs=(1, 3), order="epoch"))

    assert names(tmp_path / "o.jsonl") == ["0.1", "0.2", "0.3"]
    assert report.seeds == 0


def test_the_order_epoch_goes_by_generation_and_then_by_place(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", family(1, 1) + family(0, 1))

    merge([source], tmp_path / "o.jsonl", MergeSettings(order="epoch"))

    assert names(tmp_path / "o.jsonl") == ["0.0", "1.0", "0.1", "1.1"]


def test_the_order_sequential_goes_source_by_source_as_they_are_given(plant: Plant, tmp_path: Path) -> None:
    first = plant(tmp_path / "a.db", family(1, 1) + family(0, 1))
    second = plant(tmp_path / "b.db", [(0, 0, "b", "x")])

    merge([second, first], tmp_path / "o.jsonl", MergeSettings(order="sequential"))

    assert names(tmp_path / "o.jsonl") == ["b", "0.0", "0.1", "1.0", "1.1"]


def test_rows_of_equal_ids_in_two_stores_are_told_apart(plant: Plant, tmp_path: Path) -> None:
    sources = [plant(tmp_path / f"{name}.db", [(0, 0, name, name.upper())]) for name in "abc"]

    report = merge(sources, tmp_path / "o.jsonl", MergeSettings())

    assert sorted(names(tmp_path / "o.jsonl")) == ["a", "b", "c"]
    assert report.seeds == 3


def test_the_shuffle_of_a_seed_never_changes() -> None:
    keys = array("q", range(10))

    assert list(in_order(keys, MergeSettings(seed=0))) == [7, 8, 1, 5, 3, 4, 2, 0, 9, 6]
    assert list(in_order(keys, MergeSettings(seed=1))) != list(in_order(keys, MergeSettings(seed=0)))
    assert list(keys) == list(range(10))


def test_the_order_of_insertion_does_not_show(plant: Plant, tmp_path: Path) -> None:
    rows = [row for ordinal in range(20) for row in family(ordinal, 3)]
    forth, back = plant(tmp_path / "a.db", rows), plant(tmp_path / "b.db", rows[::-1])

    merge([forth], tmp_path / "a.jsonl", MergeSettings())
    merge([back], tmp_path / "b.jsonl", MergeSettings())

    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_a_limit_draws_every_row_equally_often() -> None:
    keys = array("q", range(10))

    drawn = Counter(key for seed in range(2000) for key in in_order(keys, MergeSettings(seed=seed, limit=3)))

    assert drawn.total() == 6000
    assert all(500 < drawn[key] < 700 for key in keys)  # 600 expected, standard deviation 20


@pytest.mark.parametrize("order", ["shuffle", "sequential", "epoch"])
def test_a_limit_draws_the_same_rows_in_every_order_and_a_smaller_one_draws_among_them(order: Order) -> None:
    keys = array(
        "q", [row_id(1, ordinal, epoch, min(epoch, 1)) for ordinal in range(9) for epoch in range(3)]
    )
    drawn = in_order(keys, MergeSettings(order=order, limit=8))

    assert set(drawn) == set(in_order(keys, MergeSettings(limit=8)))
    assert set(in_order(keys, MergeSettings(order=order, limit=7))) < set(drawn)
    if order == "sequential":
        assert list(drawn) == sorted(drawn)
    if order == "epoch":
        assert list(drawn) == sorted(drawn, key=lambda id_: (id_ >> 6 & 63, id_))


@pytest.mark.parametrize("limit", [5, 6])
def test_a_limit_of_all_rows_or_more_keeps_them_all(limit: int) -> None:
    assert list(in_order(array("q", range(5)), MergeSettings(order="sequential", limit=limit))) == [*range(5)]


def test_a_dataset_without_a_row_is_refused_with_the_counts(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(0, 0, "a", None), (1, 0, "b", " ")])

    with pytest.raises(
        OutputError, match=r"run1: no row to write; nothing was written.* 2 seeds, 0 survivors"
    ):
        merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert [path.name for path in tmp_path.iterdir() if "s.db" not in path.name] == []


def test_a_run_named_twice_is_refused(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", family(0, 0))

    with pytest.raises(SettingsError, match="'run1' is named twice"):
        merge([source, source], tmp_path / "o.jsonl", MergeSettings())


def test_no_run_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="1 to 1024 runs and files, not 0"):
        merge([], tmp_path / "o.jsonl", MergeSettings())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"format": "csv"}, "no dataset format is named 'csv'; there are wizardcoder, alpaca"),
        ({"order": "random"}, "no order is named 'random'; there are shuffle, sequential, epoch"),
        ({"limit": 0}, "the limit is at least 1"),
        ({"epochs": (2, 1)}, "epochs 2 to 1 is no range"),
        ({"epochs": (-1, 1)}, "epochs -1 to 1 is no range"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        MergeSettings(**wrong)  # type: ignore[arg-type]


def test_a_row_that_is_gone_is_an_error_and_not_a_gap(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", family(0, 0))
    keys = array("q", [row_id(1, 0), row_id(1, 1)])

    with source.engine.connect() as conn, pytest.raises(StoreError, match="1 rows went from the store"):
        list(slices_of_rows([RunReader(conn, 1, "run1")], keys))


def test_progress_counts_up_to_all_rows(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(ordinal, 0, str(ordinal), "x") for ordinal in range(2001)])
    told: list[tuple[int, int]] = []

    merge(
        [source],
        tmp_path / "o.jsonl",
        MergeSettings(),
        on_progress=lambda done, total: told.append((done, total)),
    )

    assert told == [(2000, 2001), (2001, 2001)]
    assert len(set(names(tmp_path / "o.jsonl"))) == 2001


def test_no_more_than_two_slices_of_texts_are_held(plant: Plant, tmp_path: Path) -> None:
    text = "word " * 400
    source = plant(tmp_path / "s.db", [(ordinal, 0, str(ordinal), text) for ordinal in range(12_000)])
    tracemalloc.start()

    merge([source], tmp_path / "o.jsonl", MergeSettings())

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "o.jsonl").stat().st_size > 24_000_000
    assert peak < 12_000_000
