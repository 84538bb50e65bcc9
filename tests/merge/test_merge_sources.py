"""Several runs, stores and OSS-Instruct files in one dataset, in order and in proportion, every row counted."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from evolver.errors import PoolError, RunMissingError, SettingsError, StoreError
from evolver.merge.collect import key_of
from evolver.merge.dataset import merge
from evolver.merge.job import Kind, MergeSettings, Order, OssSource, RunSource, Source
from evolver.merge.order import in_ratio
from evolver.merge.sources import open_sources
from evolver_store.connect import open_for_writing
from evolver_store.schema import row_id, runs
from tests.known_store import a_run

Plant = Callable[..., RunSource]

LEAD = "Write a solution to the following coding problem:\n"


def magicoder(number: int) -> dict[str, object]:
    return {
        "lang": "python",
        "raw_index": number,
        "index": number,
        "seed": "import os",
        "openai_fingerprint": "fp",
        "problem": f"Problem {number}",
        "solution": f"Solution {number}",
    }


def write(path: Path, *rows: Mapping[str, object]) -> OssSource:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return OssSource(path)


def read(output: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.read_text("utf-8").splitlines()]


def test_a_problem_gets_the_line_that_asks_for_its_solution(tmp_path: Path) -> None:
    source = write(tmp_path / "m.jsonl", magicoder(1))

    report = merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert read(tmp_path / "o.jsonl") == [{"instruction": f"{LEAD}Problem 1", "output": "Solution 1"}]
    assert (report.rows, report.oss, report.seeds, report.by_epoch) == (1, 1, 0, {})


def test_an_instruction_of_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    source = write(tmp_path / "s.jsonl", {"instruction": "日本語 <b>\r\n", "response": "é"})

    merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert read(tmp_path / "o.jsonl") == [{"instruction": "日本語 <b>\r\n", "output": "é"}]


def test_rows_of_a_file_that_are_left_out_are_counted_by_reason(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        magicoder(1),
        magicoder(1),
        {"problem": "unsolved", "solution": " "},
        {"problem": [3], "solution": "x"},
    ]
    source = write(tmp_path / "m.jsonl", *rows)

    report = merge([source], tmp_path / "o.jsonl", MergeSettings())

    assert report.rows == 1
    assert report.oss_without_response == 1
    assert report.oss_skipped == {"duplicate": 1, "instruction is not text": 1}


def test_provenance_of_a_file_is_its_name_and_the_place_in_it(tmp_path: Path) -> None:
    source = write(tmp_path / "m.jsonl", {"problem": "none", "solution": ""}, magicoder(1))

    merge([source], tmp_path / "o.jsonl", MergeSettings(provenance=True))

    [row] = read(tmp_path / "o.jsonl")
    wanted = {"run": "m.jsonl", "id": 1, "root": 1, "epoch": 0, "mutator": None, "source": "oss"}
    assert row.items() >= wanted.items()


def test_sequential_goes_through_the_sources_in_turn(plant: Plant, tmp_path: Path) -> None:
    sources: list[Source] = [
        write(tmp_path / "m.jsonl", *({"instruction": f"oss{n}", "response": "x"} for n in (2, 1))),
        plant(tmp_path / "b.db", [(1, 0, "b1", "x"), (0, 0, "b0", "x"), (0, 1, "b0.1", "x")]),
        plant(tmp_path / "a.db", [(0, 0, "a0", "x")]),
    ]

    merge(sources, tmp_path / "o.jsonl", MergeSettings(order="sequential"))

    assert [row["instruction"] for row in read(tmp_path / "o.jsonl")] == [
        "oss2",
        "oss1",
        "b0",
        "b0.1",
        "b1",
        "a0",
    ]


def test_by_epoch_files_stand_with_the_seeds_and_a_range_of_epochs_leaves_them_in(
    plant: Plant, tmp_path: Path
) -> None:
    rows = [{"instruction": f"oss{number}", "response": "x"} for number in range(70)]
    sources: list[Source] = [
        write(tmp_path / "m.jsonl", *rows),
        plant(tmp_path / "a.db", [(0, 0, "a0", "x"), (0, 1, "a1", "x"), (0, 2, "a2", "x")]),
    ]

    merge(sources, tmp_path / "o.jsonl", MergeSettings(order="epoch", epochs=(1, 2)))

    names = [str(row["instruction"]) for row in read(tmp_path / "o.jsonl")]
    assert names == [*(f"oss{number}" for number in range(70)), "a1", "a2"]


@pytest.mark.parametrize("order", ["shuffle", "sequential", "epoch"])
def test_equal_sources_give_an_equal_file(plant: Plant, tmp_path: Path, order: Order) -> None:
    sources: list[Source] = [
        write(tmp_path / "m.jsonl", *map(magicoder, range(50))),
        plant(tmp_path / "a.db", [(n, 0, f"a{n}", "x") for n in range(50)]),
    ]
    settings = MergeSettings(order=order, ratio={"evol": 2, "oss": 1}, limit=30)

    for name in ("a", "b"):
        merge(sources, tmp_path / f"{name}.jsonl", settings)

    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


@given(
    evol=st.integers(1, 200),
    oss=st.integers(1, 200),
    weights=st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)),
    limit=st.none() | st.integers(1, 500),
)
def test_a_ratio_holds_to_a_row_and_nothing_more_could_be_drawn(
    evol: int, oss: int, weights: tuple[float, float], limit: int | None
) -> None:
    keys = array(
        "q", [*(key_of(0, row_id(1, n)) for n in range(evol)), *(key_of(1, row_id(0, n)) for n in range(oss))]
    )
    settings = MergeSettings(ratio={"evol": weights[0], "oss": weights[1]}, limit=limit)

    drawn = in_ratio(keys, ["evol", "oss"], settings)

    count = Counter(key >> 53 for key in drawn)
    share = weights[0] / sum(weights)
    assert set(drawn) <= set(keys)
    assert list(drawn) == sorted(set(drawn))
    assert abs(count[0] - share * len(drawn)) <= 1
    assert limit is None or len(drawn) <= limit
    if limit is None or len(drawn) < limit:
        more = len(drawn) + 1
        assert share * more > evol - 1e-6 or (1 - share) * more > oss - 1e-6


def test_within_a_ratio_every_row_is_drawn_equally_often() -> None:
    keys = array(
        "q", [*(key_of(0, row_id(1, n)) for n in range(10)), *(key_of(1, row_id(0, n)) for n in range(10))]
    )
    ratio: dict[Kind, float] = {"evol": 0.6, "oss": 0.4}

    drawn = Counter(
        key
        for seed in range(1000)
        for key in in_ratio(keys, ["evol", "oss"], MergeSettings(seed=seed, limit=5, ratio=ratio))
    )

    assert all(240 < drawn[key] < 360 for key in keys[:10])
    assert all(150 < drawn[key] < 250 for key in keys[10:])


def test_a_ratio_and_its_rest_are_reported(plant: Plant, tmp_path: Path) -> None:
    sources: list[Source] = [
        write(tmp_path / "m.jsonl", *map(magicoder, range(4))),
        plant(tmp_path / "a.db", [(n, 0, f"a{n}", "x") for n in range(20)]),
    ]

    report = merge(sources, tmp_path / "o.jsonl", MergeSettings(ratio={"evol": 0.6, "oss": 0.4}))

    assert (report.rows, report.oss, report.seeds, report.not_drawn) == (10, 4, 6, 14)


@pytest.mark.parametrize("ratio", [{"evol": 1}, {"evol": 0.5, "oss": 0.5}])
def test_a_ratio_that_does_not_fit_the_sources_is_refused(
    plant: Plant, tmp_path: Path, ratio: dict[str, float]
) -> None:
    sources: list[Source] = [plant(tmp_path / "a.db", [(0, 0, "a", "x")])]
    if "oss" not in ratio:
        sources.append(write(tmp_path / "m.jsonl", magicoder(1)))

    with pytest.raises(SettingsError, match="Give every kind that has rows its share"):
        merge(sources, tmp_path / "o.jsonl", MergeSettings(ratio=ratio))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ratio", [{}, {"evol": 0, "oss": 1}, {"evol": -1}, {"evol": float("nan")}, {"other": 1}]
)
def test_a_ratio_that_cannot_be_is_refused(ratio: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match="ratio"):
        MergeSettings(ratio=ratio)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('{"problem": "a", "solution": "b"}\n{"problem": "c", "solu', "is cut off in line 2"),
        ('{"lang": "python", "seed": "x"}\n', "has no known shape"),
        ('{"problem": "a"}\n{"problem": "b"}\n', "holds no row with a response"),
        ("", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_no_output(
    tmp_path: Path, content: str, what: str
) -> None:
    (tmp_path / "m.jsonl").write_text(content)

    with pytest.raises(PoolError, match=f"m.jsonl {what}.*nothing was written"):
        merge([OssSource(tmp_path / "m.jsonl")], tmp_path / "o.jsonl", MergeSettings())

    assert not (tmp_path / "o.jsonl").exists()


def test_a_file_named_twice_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "m.jsonl", magicoder(1))

    with pytest.raises(SettingsError, match="named twice"):
        merge([source, OssSource(tmp_path / "." / "m.jsonl")], tmp_path / "o.jsonl", MergeSettings())


@pytest.fixture
def stores(plant: Plant, tmp_path: Path) -> list[str]:
    """Store a holds run1 and run2, store b holds run3."""
    plant(tmp_path / "a.db", [(0, 0, "x", "x")], run=1)
    plant(tmp_path / "a.db", [(0, 0, "x", "x")], run=2)
    plant(tmp_path / "b.db", [(0, 0, "x", "x")], run=3)
    return [str(tmp_path / "a.db"), str(tmp_path / "b.db")]


@pytest.mark.parametrize(("names", "wanted"), [([], ["run2", "run3"]), (["run3", "run1"], ["run1", "run3"])])
def test_each_store_gives_its_newest_run_or_those_named(
    stores: list[str], names: list[str], wanted: list[str]
) -> None:
    with open_sources(stores, names, [Path("m.jsonl")]) as (first, *runs):
        assert first == OssSource(Path("m.jsonl"))
        assert [run.run_name for run in runs if isinstance(run, RunSource)] == wanted


@pytest.mark.parametrize("names", [["run1"], ["run1", "run3", "run9"]])
def test_a_store_without_a_named_run_and_a_run_in_no_store_are_errors(
    stores: list[str], names: list[str]
) -> None:
    with pytest.raises(RunMissingError, match="no run is named"), open_sources(stores, names, []):
        pass


def test_a_store_or_run_named_twice_is_refused(stores: list[str]) -> None:
    for urls, names in (([stores[0], f"sqlite:///{stores[0]}"], []), (stores, ["run1", "run1"])):
        with pytest.raises(SettingsError, match="named twice"), open_sources(urls, names, []):
            pass


def test_runs_of_one_name_in_two_stores_are_told_apart_by_their_stores(tmp_path: Path) -> None:
    stores = [str(tmp_path / name) for name in ("a.db", "b.db")]
    for store in stores:
        engine = open_for_writing(store)
        with engine.begin() as conn:
            conn.execute(insert(runs), [a_run(1, "same", 1), a_run(2, f"own of {Path(store).name}", 1)])
        engine.dispose()
    with open_sources(stores, ["same", "own of a.db"], []) as found:
        names = [source.run_name for source in found if isinstance(source, RunSource)]
    assert names == [f"{stores[0]}:same", "own of a.db", f"{stores[1]}:same"]


@pytest.mark.parametrize("named", [["run1"], []], ids=["by name", "the newest"])
def test_a_run_whose_pool_is_not_stored_whole_is_not_merged(
    tmp_path: Path, plant: Plant, named: list[str]
) -> None:
    source = plant(tmp_path / "e.db", [(0, 0, "seed", "answer")])
    with source.engine.begin() as conn:
        conn.execute(update(runs).values(seeds=None))

    said = "the pool of the run 'run1' .* is not stored whole.*nothing was written"
    with pytest.raises(StoreError, match=said), open_sources([str(tmp_path / "e.db")], named, []):
        pass
