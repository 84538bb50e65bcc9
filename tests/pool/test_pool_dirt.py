"""Rows that are dirty in the ways public pools are: skipped, counted, named, never guessed at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evolver.errors import PoolError
from evolver.pool import PoolReport, Skip, read_pool
from evolver.pool.dirt import holds_merged_rows, join_input
from evolver.pool.seeds import MAX_EXAMPLES

GOOD = {"instruction": "Name a colour.", "output": "Blue"}


def read(folder: Path, rows: list[object]) -> tuple[list[str], PoolReport]:
    path = folder / "pool"
    path.write_text(json.dumps(rows), "utf-8")
    report = PoolReport()
    return [seed.instruction for seed in read_pool(path, report=report)], report


REPEATED = ("duplicate", "same instruction, other response")
BAD_ROWS: list[tuple[object, str]] = [
    (17, "not an object"),
    (None, "not an object"),
    (["Name a colour."], "not an object"),
    ({}, "no known fields"),
    ({"title": "x", "output": "y"}, "no known fields"),
    ({"instruction": None}, "no instruction"),
    ({"instruction": ""}, "no instruction"),
    ({"instruction": " \n\u3000"}, "no instruction"),
    ({"instruction": ["a"]}, "instruction is not text"),
    ({"instruction": "a", "input": [3]}, "input is not text"),
    ({"instruction": {"b": 1}, "output": "a"}, "instruction is not text"),
    ("Name a river.", "not an object"),
    ({"conversations": "a"}, "no instruction"),
    ({"conversations": [1, {"from": "gpt", "value": "a"}, {"from": ["human"]}]}, "no instruction"),
    ({"conversations": [{"from": "human", "value": 3}]}, "a turn is not text"),
    ({"messages": []}, "no instruction"),
    ({"instruction": "a\0b"}, "NUL byte"),
    ({"instruction": "a", "output": "b\0"}, "NUL byte"),
    ({"instruction": "a\ud800b"}, "lone surrogate"),
    ({"instruction": "a\udc00"}, "lone surrogate"),
    ({"instruction": "a", "output": "\udfff"}, "lone surrogate"),
    ({"instruction": "Say x.\n##\n18. Instruction: Say y."}, "merged rows"),
    (GOOD, "duplicate"),
    ({"instruction": "Name a colour.", "input": "<noinput>", "output": "Blue "}, "duplicate"),
    ({"instruction": "Name a colour.", "output": "\u3000"}, "duplicate"),
    ({"instruction": "Name a colour.", "output": "Red"}, "same instruction, other response"),
]


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS)
def test_a_bad_row_is_skipped_with_its_reason_and_place(tmp_path: Path, row: object, reason: str) -> None:
    seeds, report = read(tmp_path, [GOOD, row, {"instruction": "Next."}])

    assert seeds == ["Name a colour.", "Next."]
    assert dict(report.skipped) == {reason: 1}
    assert report.examples == [Skip(1, "record 2", reason)]
    assert (report.read, report.seeds) == (3, 2)


@pytest.mark.parametrize(("row", "reason"), [bad for bad in BAD_ROWS if bad[1] not in REPEATED])
def test_strict_makes_the_first_bad_row_an_error_that_names_it(
    tmp_path: Path, row: object, reason: str
) -> None:
    path = tmp_path / "pool"
    path.write_text(json.dumps([GOOD, row]), "utf-8")

    with pytest.raises(PoolError, match=f"bad row at record 2: {reason}"):
        list(read_pool(path, strict=True))


def test_strict_accepts_duplicates_and_empty_outputs(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text(
        json.dumps([GOOD, GOOD, {**GOOD, "output": "Red"}, {"instruction": "Next.", "output": ""}]), "utf-8"
    )

    assert [seed.ordinal for seed in read_pool(path, strict=True)] == [0, 3]


def test_a_response_lost_behind_an_empty_one_is_counted_as_such(tmp_path: Path) -> None:
    _, report = read(
        tmp_path, [{"instruction": "A b", "output": ""}, {"instruction": "A b", "output": "real answer"}]
    )

    assert report.skipped_in_words() == "1 same instruction, other response (first: record 2)"


def test_the_ordinal_counts_skipped_rows(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text(json.dumps([1, GOOD, 2, GOOD, {"instruction": "Next."}]), "utf-8")

    assert [seed.ordinal for seed in read_pool(path)] == [1, 4]


def test_every_skip_is_counted_though_only_the_first_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text("Name a colour.\n" * 100, "utf-8")
    report = PoolReport()
    list(read_pool(path, report=report))

    assert [skip.where for skip in report.examples] == [
        f"line {number}" for number in range(2, 2 + MAX_EXAMPLES)
    ]
    assert report.skipped_in_words() == "99 duplicate (first: line 2)"


def test_a_broken_line_in_the_middle_is_one_skipped_row(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    deep = "[" * 100_000
    path.write_text(
        f'{json.dumps(GOOD)}\n{{"instruction": "cut\n{deep}\n{{"instruction": "Next."}}\n', "utf-8"
    )
    report = PoolReport()

    assert [seed.ordinal for seed in read_pool(path, report=report)] == [0, 3]
    assert report.examples == [Skip(1, "line 2", "not JSON"), Skip(2, "line 3", "not JSON")]


def test_raw_tabs_and_line_ends_inside_json_strings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_bytes(b'[{"instruction": "a\tb\r\nc", "output": "d\x00"}, {"instruction": "e\tf\r\ng"}]')

    assert [seed.instruction for seed in read_pool(path)] == ["e\tf\r\ng"]


def test_a_broken_first_line_does_not_make_jsonl_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text(f"oops\n{json.dumps(GOOD)}\n", "utf-8")

    assert [seed.ordinal for seed in read_pool(path)] == [1]


def test_a_broken_last_line_with_its_line_end_is_a_skipped_row(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text(f'{json.dumps(GOOD)}\n{{"instruction": "cut\n', "utf-8")

    assert [seed.ordinal for seed in read_pool(path)] == [0]


@pytest.mark.parametrize("output", ["", " ", "\n\t", None])
def test_an_empty_output_is_no_response_and_is_counted(tmp_path: Path, output: str | None) -> None:
    path = tmp_path / "pool"
    path.write_text(json.dumps([{"instruction": "a", "output": output}]), "utf-8")
    report = PoolReport()

    assert [seed.response for seed in read_pool(path, report=report)] == [None]
    assert dict(report.unanswered) == {"empty output": 1}


NONE = [
    *(
        "",
        " ",
        "\n",
        "<noinput>",
        "<no input>",
        "Noinput",
        "No input",
        "NO INPUT",
        "N/A",
        "n/a",
        "None",
        "none",
    ),
    *("No input.", "<noinput>.", '"<noinput>"', "`<noinput>`", "\\<noinput\\>", "{\\noinput}", "<noinput"),
    *("No input required.", " No Input\n", "<none>", "No-input"),
]


@pytest.mark.parametrize("input_", NONE)
def test_an_input_that_means_none_leaves_the_instruction_alone(input_: str) -> None:
    assert join_input(" Say x. ", input_) == " Say x. "


@pytest.mark.parametrize(
    "input_",
    ["x", " x ", "0", "[None]", "None of them", "No input was given to f()", "N", "null", "A/N", "Noinputs"],
)
def test_any_other_input_is_joined_untouched_by_one_line_feed(input_: str) -> None:
    assert join_input(" Say x. ", input_) == f" Say x. \n{input_}"


@pytest.mark.parametrize(
    "text",
    [
        "Say x.\n##\n18. Instruction: Say y.",
        "Say x.\r\n###  \r\n18. Instruction: Say y.",
        "x\n##\n\n2. Instruction:Say y.",
        "x\n///\n14. Instruction: Say y.\n14. Input:\n<noinput>\n14. Output:\ny",
        "x\n\n\n5. Instruction: Say y.\n5. Output: y",
    ],
)
def test_rows_that_run_on_are_merged_rows(text: str) -> None:
    assert holds_merged_rows(text)


@pytest.mark.parametrize(
    "text",
    [
        "Say x.",
        "Instruction: Say x.\nInput:\ny",
        "##\n1. Instruction: Say x.\n1. Input: y\n##\n2. Instruction: Say z.\n2. Input: w",
        "Steps:\n2. Instruction: read the manual\n3. Output: save it",
        "See 18. Instruction: there.\n18. Output: x",
        "## Instructions\n2. Instructions: many",
    ],
)
def test_lists_and_headings_of_an_author_are_no_merged_rows(text: str) -> None:
    assert not holds_merged_rows(text)


def test_a_response_that_runs_on_is_left_out_and_its_instruction_kept(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    row = {"instruction": "Say x.", "output": "x\n##\n18. Instruction: Say y.\n18. Output:\ny"}
    path.write_text(json.dumps([row]), "utf-8")
    report = PoolReport()

    assert [(seed.instruction, seed.response) for seed in read_pool(path, report=report)] == [
        ("Say x.", None)
    ]
    assert dict(report.unanswered) == {"merged rows": 1}
    with pytest.raises(PoolError, match="record 1: merged rows in its response"):
        list(read_pool(path, strict=True))
