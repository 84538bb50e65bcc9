"""Every format a pool may have, told from its content."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolver.pool import PoolReport, Seed, pool_sha256, read_pool

ALPACA = [
    {"instruction": "Sort the list.", "input": "[3, 1]", "output": "[1, 3]"},
    {"instruction": "Name a colour.", "input": "", "output": "Blue"},
]
PAIRS = [("Sort the list.\n[3, 1]", "[1, 3]"), ("Name a colour.", "Blue")]


def write(folder: Path, text: str | bytes, name: str = "pool.any") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def pairs(path: str | Path) -> list[tuple[str, str | None]]:
    return [(seed.instruction, seed.response) for seed in read_pool(path)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps(ALPACA), id="list on one line"),
        pytest.param(json.dumps(ALPACA, indent=2), id="list on several lines"),
        pytest.param("\ufeff\n  " + json.dumps(ALPACA), id="list behind a mark and white space"),
        pytest.param(json.dumps({"data": ALPACA}), id="wrapped list on one line"),
        pytest.param(json.dumps({"data": ALPACA}, indent=1), id="wrapped list on several lines"),
        pytest.param("".join(json.dumps(row) + "\n" for row in ALPACA), id="JSONL"),
        pytest.param("\n".join(map(json.dumps, ALPACA)), id="JSONL without a last line end"),
        pytest.param("\ufeff" + "\r\n".join(map(json.dumps, ALPACA)), id="JSONL from Windows"),
        pytest.param("\n\n" + "\n\n".join(map(json.dumps, ALPACA)), id="JSONL with blank lines"),
    ],
)
def test_alpaca_rows_read_the_same_from_every_kind_of_json(tmp_path: Path, text: str) -> None:
    assert pairs(write(tmp_path, text)) == PAIRS


def test_parquet_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "pool.json"
    pq.write_table(pa.Table.from_pylist(ALPACA), path)

    assert pairs(path) == PAIRS


def test_parquet_columns_of_bytes_are_not_read_and_others_travel(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    rows = [{**row, "id": number, "kind": "x", "image": b"\xff"} for number, row in enumerate(ALPACA)]
    pq.write_table(pa.Table.from_pylist(rows), path)

    assert [(seed.instruction, seed.details) for seed in read_pool(path)] == [
        (PAIRS[0][0], {"id": 0, "columns": {"kind": "x"}}),
        (PAIRS[1][0], {"id": 1, "columns": {"kind": "x"}}),
    ]


def test_parquet_of_several_batches_comes_whole_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    rows = [{"instruction": f"Count to {number}."} for number in range(2500)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=700)

    assert [seed.ordinal for seed in read_pool(path)] == list(range(2500))


def test_plain_text_holds_one_instruction_a_line(tmp_path: Path) -> None:
    path = write(
        tmp_path, "  Name a colour. \r\n\nSort: 3\u20281\x0c2\n[Hint] Say {x}.\n[1] Go on.\n{x} is what?"
    )

    assert pairs(path) == [
        ("  Name a colour. ", None),
        ("Sort: 3\u20281\x0c2", None),
        ("[Hint] Say {x}.", None),
        ("[1] Go on.", None),
        ("{x} is what?", None),
    ]


@pytest.mark.parametrize(
    "first", ["[Hint] Say x.", "[1] Say x.", "{x} is what?", "42", 'Use {"a": 1}.\n{"a": 1}']
)
def test_a_text_that_begins_like_json_is_still_text(tmp_path: Path, first: str) -> None:
    path = write(tmp_path, f"{first}\nName a colour.\n")

    assert [seed.instruction for seed in read_pool(path)] == [*first.split("\n"), "Name a colour."]


TURNS = [
    ("system", "Be kind."),
    ("human", "Name a colour."),
    ("gpt", "Blue"),
    ("human", "Another."),
    ("gpt", "Red"),
]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"instruction": "Name a colour.", "output": "Blue"}, "Blue"),
        ({"instruction": "Name a colour.", "response": "Blue"}, "Blue"),
        ({"instruction": "Name a colour.", "input": None, "response": "Blue"}, "Blue"),
        ({"problem": "Name a colour.", "solution": "Blue", "lang": "en"}, "Blue"),
        ({"conversations": [{"from": who, "value": text} for who, text in TURNS]}, "Blue"),
        ({"conversations": [{"from": who, "value": text} for who, text in TURNS[:2]]}, None),
        ({"conversations": [{"from": who, "value": text} for who, text in (TURNS[1], *TURNS[3:])]}, None),
        (
            {
                "messages": [
                    {"role": "system", "content": "Be kind."},
                    {"role": "user", "content": "Name a colour."},
                    {"role": "assistant", "content": "Blue"},
                ]
            },
            "Blue",
        ),
        ({"instruction": "Name a colour.", "instances": []}, None),
    ],
)
def test_each_shape_of_row_gives_instruction_and_response(
    tmp_path: Path, row: dict[str, object], expected: str | None
) -> None:
    assert pairs(write(tmp_path, json.dumps([row]))) == [("Name a colour.", expected)]


def test_every_instance_of_a_self_instruct_task_is_a_seed(tmp_path: Path) -> None:
    instances = [{"input": "3 1", "output": "1 3"}, "broken", {"input": "", "output": ""}]
    report = PoolReport()
    path = write(tmp_path, json.dumps({"id": "t7", "instruction": "Sort.", "instances": instances}) + "\n")

    assert list(read_pool(path, report=report)) == [
        Seed(0, "Sort.\n3 1", "1 3", {"id": "t7"}),
        Seed(2, "Sort.", None, {"id": "t7"}),
    ]
    assert report.examples[0].where == "line 1, instance 2"


@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"id": "a-1"}, {"id": "a-1"}),
        ({"idx": 7}, {"idx": 7}),
        ({"id": True}, None),
        ({"id": 1.5}, None),
        ({"id": "a\0"}, None),
        ({"id": "a\ud800"}, None),
        ({"id": int("9" * 5000, 16)}, None),
        ({}, None),
    ],
)
def test_a_row_keeps_the_id_that_a_database_can_hold(
    tmp_path: Path, fields: dict[str, object], details: dict[str, object] | None
) -> None:
    sys.set_int_max_str_digits(0)
    try:
        text = json.dumps([{"instruction": "Sort.", **fields}])
    finally:
        sys.set_int_max_str_digits(sys.int_info.default_max_str_digits)

    assert [seed.details for seed in read_pool(write(tmp_path, text))] == [details]


def test_the_limit_stops_before_later_rows_are_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path, "One.\nTwo.\n\xff".encode("latin-1"))

    assert [seed.instruction for seed in read_pool(path, limit=2)] == ["One.", "Two."]


def test_the_report_names_format_and_shape(tmp_path: Path) -> None:
    report = PoolReport()
    list(read_pool(write(tmp_path, json.dumps(ALPACA)), report=report))

    assert (report.format, report.read, report.seeds) == ("JSON list of instruction rows", 2, 2)


def test_standard_input_can_be_digested_and_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.dumps(ALPACA).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    assert pool_sha256("-") == hashlib.sha256(data).hexdigest()
    assert pairs("-") == PAIRS
    assert pairs("-") == PAIRS


def test_a_named_pipe_can_be_digested_and_then_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    data = json.dumps(ALPACA).encode()
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()

    assert pool_sha256(pipe) == hashlib.sha256(data).hexdigest()
    assert pairs(pipe) == PAIRS
    writer.join()


def test_rows_longer_than_any_window_come_whole(tmp_path: Path) -> None:
    long = "né\\n" * 700_000
    path = write(tmp_path, json.dumps([{"instruction": long}, {"instruction": "Short."}], ensure_ascii=False))

    assert [seed.instruction for seed in read_pool(path)] == [long, "Short."]


@pytest.mark.parametrize("ascii_only", [True, False])
def test_rows_come_whole_wherever_the_window_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ascii_only: bool
) -> None:
    row = {
        "instruction": 'é\u2028"\\😀',
        "flag": None,
        "low": [True, -1.5e-7, float("-inf"), 12],
        "output": "x",
    }
    rows = [{"instruction": "Say x."}, row, 12345, {"instruction": "Say y."}]
    path = write(tmp_path, json.dumps(rows, ensure_ascii=ascii_only, indent=1))
    for size in range(1, 80):
        monkeypatch.setattr("evolver.pool.records.CHUNK_BYTES", size)
        assert pairs(path) == [("Say x.", None), (row["instruction"], "x"), ("Say y.", None)]


@pytest.mark.parametrize("separator", [", ", "\n"])
def test_memory_does_not_grow_with_the_texts_of_a_pool(tmp_path: Path, separator: str) -> None:
    rows = separator.join(json.dumps({"instruction": f"{n} " + "a" * 20_000}) for n in range(1000))
    path = write(tmp_path, f"[{rows}]" if separator == ", " else rows)
    del rows
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_pool(path)) == 1000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 6_000_000  # of a pool of 20 MB


@pytest.mark.parametrize(
    "line", ["[1, 2, 3]: what is the sum of these?", '["a", "b"] - reverse this', "[] is what in Python?"]
)
def test_a_line_that_goes_on_after_a_list_is_an_instruction(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pool"
    path.write_text(f"{line}\nName a river.\n", "utf-8")
    assert [seed.instruction for seed in read_pool(path)] == [line, "Name a river."]
