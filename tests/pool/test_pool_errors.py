"""A pool that cannot be read is one sentence: what happened, that nothing was written, what to do."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evolver.errors import PoolError
from evolver.pool import pool_sha256, read_pool

GOOD = '{"instruction": "Name a colour.", "output": "Blue"}'


def message(path: str | Path) -> str:
    with pytest.raises(PoolError) as caught:
        list(read_pool(path))
    text = str(caught.value)
    assert "; nothing was written. " in text
    assert text.endswith(".")
    assert "\n" not in text
    assert str(pickle.loads(pickle.dumps(caught.value))) == text
    return text


def of(folder: Path, data: str | bytes) -> str:
    path = folder / "pool"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return message(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert message(tmp_path / "none").startswith(f"{tmp_path / 'none'} does not exist")


def test_the_digest_of_a_missing_file_is_the_same_error(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="does not exist"):
        pool_sha256(tmp_path / "none")


def test_a_directory_is_no_pool(tmp_path: Path) -> None:
    assert "is a directory without a file that is read" in message(tmp_path)


def test_a_path_below_a_file_is_an_error_of_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be read (Not a directory)" in message(tmp_path / "file" / "pool")


def test_a_path_no_system_can_hold_does_not_exist() -> None:
    assert "does not exist" in message("a\0b")


def test_a_closed_standard_input_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert message("-").startswith("standard input does not exist")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    path.write_text("Name a colour.")
    path.chmod(0)
    assert "may not be read" in message(path)


@pytest.mark.parametrize("data", ["", " \n\r\n\t ", "\ufeff", "\ufeff\n"])
def test_a_file_of_nothing_is_empty(tmp_path: Path, data: str) -> None:
    assert "is empty" in of(tmp_path, data)


@pytest.mark.parametrize("data", ["[]", '{"data": []}', " " * 70_000])
def test_a_pool_without_rows_says_so(tmp_path: Path, data: str) -> None:
    assert "holds no rows" in of(tmp_path, data)


@pytest.mark.parametrize(
    "data",
    [
        "Nenne ein Café.\n".encode() + b"Nam\xe9 it.\n",
        "Nenne ein Café.\n".encode()
        + b"A line.\n" * 40_000
        + "Nommez une tâche réglée l'été à Orléans.\n".encode("cp1252") * 99,
        b"Nam\x81 \x8d\x9d it.\n",
        b"Name a colour.\nNam\xc3",
        b'[{"instruction": "\xed\xa0\x80"}]',
    ],
)
def test_bytes_that_are_not_utf8_are_stated(tmp_path: Path, data: bytes) -> None:
    assert "is not UTF-8" in of(tmp_path, data)


@pytest.mark.parametrize("cut", range(1, len(f"[{GOOD}, {GOOD}]")))
def test_a_list_cut_at_any_byte_is_cut_off(tmp_path: Path, cut: int) -> None:
    assert "is cut off" in of(tmp_path, f"[{GOOD}, {GOOD}]"[:cut])


@pytest.mark.parametrize("value", ["true", "-1.5e-7", "-Infinity", '"\\ud83d\\ude00"', "[null, {}]"])
def test_a_list_cut_inside_any_value_is_cut_off(tmp_path: Path, value: str) -> None:
    whole = f'[{GOOD}, {{"x": {value}'
    for cut in range(len(whole) - len(value), len(whole)):
        assert "is cut off" in of(tmp_path, whole[:cut])


def test_a_second_list_of_rows_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "pool.json"
    rows = {
        "train": [{"instruction": "a"}],
        "version": 2,
        "info": {"by": ["me"]},
        "test": [{"instruction": "b"}],
    }
    path.write_text(json.dumps(rows, indent=1), "utf-8")

    with pytest.raises(
        PoolError, match=r"holds a second list of rows, 'test', behind the first of 1; nothing was"
    ):
        list(read_pool(path))

    rows.pop("test")
    path.write_text(json.dumps(rows | {"tags": ["x"], "more": {}}), "utf-8")
    assert [seed.instruction for seed in read_pool(path)] == ["a"]


@pytest.mark.parametrize("cut", [len(f'{{"data": [{GOOD}') + extra for extra in (-9, -1, 0, 1)])
def test_a_wrapped_list_that_is_cut_is_cut_off(tmp_path: Path, cut: int) -> None:
    assert "is cut off" in of(tmp_path, f'{{"data": [{GOOD}]}}'[:cut])


@pytest.mark.parametrize("cut", range(len('{"i'), len(GOOD)))
def test_a_last_line_cut_at_any_byte_is_cut_off(tmp_path: Path, cut: int) -> None:
    assert "is cut off in line 2" in of(tmp_path, f"{GOOD}\n{GOOD[:cut]}")
    assert "is cut off in line 1" in of(tmp_path, GOOD[:cut])


def test_a_cut_or_damaged_parquet_file_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    pq.write_table(pa.Table.from_pylist([{"instruction": f"Say {n}."} for n in range(999)]), path)
    data = path.read_bytes()

    assert "is cut off" in of(tmp_path, data[:-20])
    assert "is cut off" in of(tmp_path, data[:4] + data[:2])
    assert "is damaged" in of(tmp_path, data[:500] + bytes(900) + data[1400:])
    assert "is damaged" in of(tmp_path, b"PAR1")


def test_parquet_without_a_known_column_is_told_which_it_has(tmp_path: Path) -> None:
    path = tmp_path / "pool"
    pq.write_table(pa.table({"title": ["a"], "id": [1]}), path)
    assert "has no known shape; nothing was written. Its columns are 'title', 'id'" in message(path)


@pytest.mark.parametrize(
    "data",
    [
        "{}",
        "null",
        "42\n",
    ],
)
def test_a_file_of_no_known_shape_is_told_what_a_pool_is(tmp_path: Path, data: str | bytes) -> None:
    text = of(tmp_path, data)
    assert "has no known shape" in text
    assert "one instruction a line" in text


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (f"[{GOOD}, {{oops}}, {GOOD}]", "is not valid JSON in record 2"),
        (f"[{GOOD} {GOOD}]", "is not valid JSON after record 1"),
        (f"[{GOOD},]", "is not valid JSON in record 2"),
        (f'[{GOOD}, {{"instruction": nope}}]', "is not valid JSON in record 2"),
        (f"[{GOOD}]\n[{GOOD}]", "goes on after the end of its list (record 1)"),
        (f"[{GOOD}, {'[' * 200_000}", "is nested too deeply in record 2"),
    ],
)
def test_a_list_that_cannot_be_read_on_names_the_record(tmp_path: Path, data: str, what: str) -> None:
    assert what in of(tmp_path, data)


def test_a_pool_of_bad_rows_alone_gives_the_reasons(tmp_path: Path) -> None:
    text = of(tmp_path, json.dumps([{"instruction": ""}, {"instruction": "a\0"}, {"instruction": " "}, 3]))

    assert "all of its 4 rows were skipped: 2 no instruction (first: record 1), 1 NUL byte" in text


@pytest.mark.parametrize("number", ["9" * 5000, "NaN", "-Infinity", "1e999"])
def test_numbers_out_of_range_do_no_harm(tmp_path: Path, number: str) -> None:
    path = tmp_path / "pool"
    path.write_text(f'[{{"instruction": "Say x.", "score": {number}}}]')

    assert [seed.instruction for seed in read_pool(path)] == ["Say x."]
