"""One pass over a pool gives digest, counts and sample; nothing is read twice that can be read once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolver.errors import PoolError
from evolver.pool import Pool, Reading
from evolver.pool.source import FileBytes

ROWS = [{"instruction": f"Count to {number}.", "output": "x" if number % 3 else ""} for number in range(500)]


def as_lines(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def as_list(path: Path) -> None:
    path.write_text(json.dumps(ROWS))


def as_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=100)


@pytest.mark.parametrize("write", [as_lines, as_list, as_parquet])
@pytest.mark.parametrize("limit", [None, 7])
def test_a_survey_gives_the_digest_of_all_bytes_the_counts_and_a_sample(
    tmp_path: Path, write: object, limit: int | None
) -> None:
    path = tmp_path / "pool"
    assert callable(write)
    write(path)

    survey = Pool(path, Reading(limit=limit)).survey(sample=5, seed=3)

    assert survey.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (survey.seeds, survey.unanswered) == ((7, 3) if limit else (500, 167))
    assert len(set(survey.sample)) == 5
    assert set(survey.sample) <= {row["instruction"] for row in ROWS[:limit]}


def test_the_bytes_of_a_file_enter_the_digest_once_and_in_order_however_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(3_500_000))
    bytes_ = FileBytes(path)

    with bytes_.open() as stream:
        stream.seek(2_000_000)
        stream.read(10)
        stream.seek(100)
        stream.read(1_200_000)
        stream.seek(0)
        stream.read(50)

    assert bytes_.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert bytes_.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_second_survey_with_the_same_arguments_reads_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    as_lines(path)
    pool = Pool(path)
    first = pool.survey(3)
    path.unlink()

    assert pool.survey(3) is first


def test_a_generator_is_asked_once_and_then_read_again_from_what_was_kept() -> None:
    asked: list[int] = []

    def rows() -> Iterator[dict[str, str]]:
        for number in range(10):
            asked.append(number)
            yield {"instruction": f"Count to {number}."}

    pool = Pool(rows())

    assert pool.survey().seeds == 10
    assert [seed.instruction for seed in pool.seeds()] == [f"Count to {number}." for number in range(10)]
    assert asked == list(range(10))


def test_a_generator_without_an_end_is_asked_as_far_as_the_limit_goes() -> None:
    def rows() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"Count to {number}."

    pool = Pool(rows(), Reading(limit=4))

    assert pool.sha256 == Pool([f"Count to {number}." for number in range(1, 5)]).sha256
    assert len(list(pool.seeds())) == 4


def test_the_same_rows_have_the_same_digest_from_every_kind_of_object() -> None:
    pandas = pytest.importorskip("pandas")
    datasets = pytest.importorskip("datasets")
    rows = [
        {"instruction": "Say x.", "output": "x", "id": 1},
        {"instruction": "Say y.", "output": None, "id": 2},
    ]
    objects = [
        rows,
        tuple(rows),
        iter(rows),
        pandas.DataFrame(rows),
        pa.Table.from_pylist(rows),
        datasets.Dataset.from_list(rows),
        datasets.Dataset.from_list(rows).to_iterable_dataset(),
    ]

    assert len({Pool(one).sha256 for one in objects}) == 1
    for one in objects:
        assert [seed.details for seed in Pool(one if not isinstance(one, Iterator) else rows).seeds()] == [
            {"id": 1},
            {"id": 2},
        ]


def test_a_changed_row_changes_the_digest() -> None:
    assert Pool(["a b", "c"]).sha256 != Pool(["a b", "d"]).sha256


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (42, "is nothing that rows can be read from"),
        (b"abc", "is nothing that rows can be read from"),
        ({"instruction": "Say x."}, "is one mapping"),
        ([], "holds no rows"),
        ([1, None], "not an object"),
    ],
)
def test_an_object_that_is_no_pool_is_one_sentence(source: object, what: str) -> None:
    with pytest.raises(PoolError, match=f"^python:.*{what}.*; nothing was written"):
        list(Pool(source).seeds())  # type: ignore[arg-type]


def test_a_generator_that_fails_is_one_sentence_that_names_the_row() -> None:
    def rows() -> Iterator[str]:
        yield "Say x."
        raise RuntimeError("the disk went away")

    with pytest.raises(PoolError, match=r"failed after row 1 \(the disk went away\)"):
        list(Pool(rows()).seeds())


def test_a_row_that_holds_itself_is_a_bad_row() -> None:
    row: dict[str, object] = {"instruction": "Say x."}
    row["self"] = row

    assert [seed.ordinal for seed in Pool([row, "Say y."]).seeds()] == [1]


def test_a_file_that_changes_between_two_readings_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text("Say x.\n")
    pool = Pool(path)
    list(pool.seeds())
    path.write_text("Say something else.\n")

    with pytest.raises(PoolError, match="was changed while it was read; nothing was written"):
        list(pool.seeds())
