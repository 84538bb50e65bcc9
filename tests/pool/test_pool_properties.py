"""What holds for any text and any bytes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evolver.errors import PoolError
from evolver.pool import Seed, read_pool
from evolver.pool.dirt import holds_merged_rows

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FILLED = TEXT.filter(str.strip)
Write = Callable[[list[dict[str, str]], Path], object]


def as_list(rows: list[dict[str, str]], path: Path) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8", newline="")


def as_escaped_list(rows: list[dict[str, str]], path: Path) -> None:
    path.write_text(json.dumps(rows, indent=1), "utf-8")


def as_lines(rows: list[dict[str, str]], path: Path) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows)
    path.write_text(lines, "utf-8", newline="")


def as_parquet(rows: list[dict[str, str]], path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def read_back(write: Write, rows: list[dict[str, str]]) -> list[Seed]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pool")
        write(rows, path)
        return list(read_pool(path))


@pytest.mark.parametrize("write", [as_list, as_escaped_list, as_lines, as_parquet])
@given(instruction=FILLED, input_=FILLED, output=FILLED)
@example(instruction="\ufeff a\r\n", input_="\u2028\x0c\x85", output="\x1f\x7f\\u0000 '\"</s>")
@example(instruction="😀 é\ue000", input_="[", output="\rx\r")
def test_any_text_comes_back_byte_for_byte(write: Write, instruction: str, input_: str, output: str) -> None:
    seeds = read_back(write, [{"instruction": instruction, "input": f"<{input_}x", "output": output}])

    assert seeds == [Seed(0, f"{instruction}\n<{input_}x", output)]
    assert not holds_merged_rows(output)


@given(st.lists(st.tuples(FILLED, TEXT), min_size=1, max_size=8))
@example([("a", "b"), ("a", "c"), ("b", "")])
def test_each_instruction_comes_once_with_its_first_response(rows: list[tuple[str, str]]) -> None:
    seeds = read_back(as_list, [{"instruction": text, "output": answer} for text, answer in rows])

    first: dict[str, str | None] = {}
    for text, answer in rows:
        first.setdefault(text, answer if answer.strip() else None)
    assert [(seed.instruction, seed.response) for seed in seeds] == list(first.items())


def seeds_or_error(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pool")
        path.write_bytes(data)
        try:
            seeds = list(read_pool(path))
        except PoolError as error:
            assert "nothing was written" in str(error)  # noqa: PT017 - either end is right
        else:
            assert seeds
            assert all(seed.instruction.strip() for seed in seeds)


JSON_PARTS = [
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\n",
        b"\r\n",
        b" ",
        b"\xef\xbb\xbf",
    ),
    *(
        b'"instruction"',
        b'"output"',
        b'"conversations"',
        b'"instances"',
        b'{"instruction": "a"}',
        b"null",
        b"-",
    ),
    *(
        b"1",
        b"\0",
        b"\xff",
        b"\xe2\x80\xa8",
        b"PAR1",
        b"\x1f\x8b",
        b'{"data": [',
        b"x",
        b'"from": "human"',
        b"NaN",
    ),
]


@given(st.lists(st.sampled_from(JSON_PARTS), max_size=30).map(b"".join))
@example(b'[{"instruction": "a"}' + b"\xef\xbb")
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"[1")
@example(b"[-")
def test_any_mixture_of_json_parts_gives_seeds_or_a_sentence(data: bytes) -> None:
    seeds_or_error(data)


@given(st.binary(max_size=200))
@example(b"\0")
@example(b"PAR1PAR1")
def test_any_bytes_give_seeds_or_a_sentence(data: bytes) -> None:
    seeds_or_error(data)


def parquet_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pool")
        as_parquet([{"instruction": f"Say {number}.", "output": "x"} for number in range(20)], path)
        return path.read_bytes()


PARQUET = parquet_bytes()


@given(st.integers(4, len(PARQUET) - 5), st.binary(min_size=1, max_size=4))
def test_a_parquet_file_with_any_damage_gives_seeds_or_a_sentence(place: int, damage: bytes) -> None:
    seeds_or_error(PARQUET[:place] + damage + PARQUET[place + len(damage) :])
