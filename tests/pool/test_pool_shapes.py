"""Rows of every shape that public datasets have, and files that are no pool at all."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import math
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from evolver.errors import PoolError
from evolver.merge.formats import FORMATS, Row, Shape
from evolver.pool import Pool, PoolReport

ASKED = {"role": "user", "content": "Name a colour."}
SAID = {"role": "assistant", "content": "Blue"}
PAIR = ("Name a colour.", "Blue")


def write(folder: Path, data: str | bytes, name: str = "pool") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def pairs(source: object, report: PoolReport | None = None) -> list[tuple[str, str | None]]:
    return [(seed.instruction, seed.response) for seed in Pool(source).seeds(report)]  # type: ignore[arg-type]


SHAPES: list[object] = [
    {"Instruction": "Name a colour.", "Output": "Blue"},
    {"prompt": "Name a colour.", "completion": "Blue"},
    {"Question": "Name a colour.", "ANSWER": "Blue"},
    {"query": "Name a colour.", "response": "Blue"},
    {"input": "Name a colour.", "output": "Blue"},
    {"inputs": "Name a colour.", "targets": "Blue"},
    {"problem": "Name a colour.", "solution": "Blue"},
    {"instruction": "Name a colour.", "input": math.nan, "output": "Blue"},
    {"instruction": "Name a colour.", "input": None, "context": "", "output": ["Blue"]},
    {"user": "Name a colour.", "assistant": "Blue"},
    {"text": "Below is an instruction that …\n\n### Instruction:\nName a colour.\n\n### Response:Blue"},
    {"text": "### Human: Name a colour.### Assistant: Blue"},
    {"text": "<s>[INST] Name a colour. [/INST] Blue</s>"},
    {"text": "<|im_start|>user\nName a colour.<|im_end|>\n<|im_start|>assistant\nBlue<|im_end|>"},
    {
        "conversations": [
            {"role": "user", "content": "Name a colour."},
            {"role": "assistant", "content": "Blue"},
        ]
    },
    {"messages": [{"from": "human", "value": "Name a colour."}, {"from": "gpt", "value": "Blue"}]},
    {"conversation": json.dumps([ASKED, SAID])},
    {"prompt": [ASKED], "completion": [SAID]},
    {"prompt": [ASKED], "completion": "Blue"},
    {"prompt": "Name a colour.", "messages": [ASKED, SAID]},
    {
        "messages": [
            {**ASKED, "content": [{"type": "text", "text": "Name a colour."}]},
            {**SAID, "content": ["Blue"]},
        ]
    },
    [ASKED, SAID],
    json.dumps({"instruction": "Name a colour.", "output": "Blue"}),
]


@pytest.mark.parametrize("row", SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize("as_lines", [True, False])
def test_every_shape_of_row_gives_the_same_pair(tmp_path: Path, row: object, as_lines: bool) -> None:
    text = f"{json.dumps(row)}\n{json.dumps(row)}\n" if as_lines else json.dumps([row], indent=1)

    assert pairs(write(tmp_path, text)) == [PAIR]


@pytest.mark.parametrize("make", FORMATS.values(), ids=list(FORMATS))
def test_every_format_that_is_written_can_be_read_again(tmp_path: Path, make: Shape) -> None:
    texts = [("Name a colour.\n\n    x = 1", "Blue\n\n### Note\nyes"), ("Say <b>.", "b")]
    rows = [
        make(place, Row(place, place, 1, "m", instruction, response, "r", "s"))
        for place, (instruction, response) in enumerate(texts)
    ]

    assert pairs(write(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))) == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (42, "42"),
        (2.5, "2.5"),
        (True, "true"),
        (["2", "3"], '["2", "3"]'),
        ({"a": "é"}, '{"a": "é"}'),
        (10**30, str(10**30)),
    ],
)
def test_numbers_and_structures_of_a_response_are_text(tmp_path: Path, value: object, text: str) -> None:
    assert pairs(write(tmp_path, json.dumps([{"instruction": "Say x.", "output": value}]))) == [
        ("Say x.", text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n "instruction": "Name a colour.",\n "output": "Blue"\n}\n', [PAIR]),
        ('{\n "instruction": "a"\n}\n{\n "instruction": "b"\n}', [("a", None), ("b", None)]),
        ('{"instruction": ["a", "b"], "output": ["x", null]}', [("a", "x"), ("b", None)]),
        ('{"instruction": {"0": "a", "1": "b"}, "output": {"0": "x", "1": "y"}}', [("a", "x"), ("b", "y")]),
        ('"Say \\"x\\"."\n"Say y."\n', [('Say "x".', None), ("Say y.", None)]),
        ('["Say x.", "Say y."]', [("Say x.", None), ("Say y.", None)]),
        ("Say x.\rSay y.\r", [("Say x.", None), ("Say y.", None)]),
    ],
)
def test_one_object_columns_and_bare_texts_are_read(
    tmp_path: Path, text: str, expected: list[tuple[str, str | None]]
) -> None:
    assert pairs(write(tmp_path, text)) == expected


FOREIGN: list[tuple[str | bytes, str, str]] = [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 22\n", "", "is a Git LFS pointer"),
    ("<!DOCTYPE html>\n<html><body>Say x.</body></html>", ".json", "is a web page"),
    ("  <!-- x -->\n<html>", "", "is a web page"),
    ("<?xml version='1.0'?><rows/>", "", "is a web page or XML"),
    ("{'instruction': 'Say x.', 'output': 'x'}\n", "", "holds what Python prints"),
    ("[{'instruction': \"Say x.\"}]", ".json", "holds what Python prints"),
    ('{"instruction": None, "output": "x"}\n', "", "holds what Python prints"),
    ("Dataset({\n    features: ['instruction'],\n    num_rows: 3\n})", "", "holds what Python prints"),
    ("| instruction | output |\n|---|---|\n| Say x. | x |\n", "", "is a Markdown table"),
    ("- instruction: Say x.\n  output: x\n", "", "is YAML"),
    ("Not found: the file has moved\n", ".json", "is named .json but holds no JSON"),
    ("Say x.\nSay y.\n", ".jsonl", "is named .jsonl but holds no JSON"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "", "is a PDF"),
    (b"SQLite format 3\0" + bytes(100), "", "is an SQLite database"),
    (b"\x80\x04\x95" + bytes(50), "", "is a pickle"),
    (bytes(range(256)) * 40, "", "is no text"),
    (
        '{\n  "version": 1,\n  "rows": 2\n}\n',
        ".json",
        "has no known shape; nothing was written. Its columns are 'version', 'rows'",
    ),
    (gzip.compress(gzip.compress(b"Say x.\n")), "", "is packed twice"),
    (json.dumps({"messages": "[{'role': 'user', 'content': 'Say x.'}]"}), "", "a Python repr, not JSON"),
]


@pytest.mark.parametrize(("data", "suffix", "what"), FOREIGN, ids=[what for _, _, what in FOREIGN])
def test_what_is_no_pool_is_refused_as_what_it_is(
    tmp_path: Path, data: str | bytes, suffix: str, what: str
) -> None:
    with pytest.raises(PoolError) as caught:
        pairs(write(tmp_path, data, f"pool{suffix}"))

    assert what in str(caught.value)
    assert "; nothing was written. " in str(caught.value)


def test_a_spreadsheet_is_refused_as_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pool.xlsx", "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")

    with pytest.raises(PoolError, match="is a ZIP archive or an Office document"):
        pairs(tmp_path / "pool.xlsx")


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
LINES = "".join(json.dumps({"instruction": f"Count to {number}."}) + "\n" for number in range(5_000)).encode()


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_packed_pools_are_read_also_of_several_streams(tmp_path: Path, kind: str) -> None:
    packed = PACKERS[kind](LINES[:50_000]) + PACKERS[kind](LINES[50_000:])
    report = PoolReport()

    assert len(pairs(write(tmp_path, packed), report)) == 5_000
    assert report.packing == kind


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_packed_pools_that_are_cut_or_followed_by_other_data_are_refused(tmp_path: Path, kind: str) -> None:
    packed = PACKERS[kind](LINES)
    with pytest.raises(PoolError, match=f"is cut off inside its {kind} data"):
        pairs(write(tmp_path, packed[: len(packed) // 2]))
    with pytest.raises(PoolError, match=f"holds damaged {kind} data"):
        pairs(write(tmp_path, packed + b"and more"))


def test_packed_parquet_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"instruction": ["Say x."]}), tmp_path / "p")

    assert pairs(write(tmp_path, gzip.compress((tmp_path / "p").read_bytes()))) == [("Say x.", None)]


LIMITED = """
import sys
from evolver.pool import Pool, PoolReport
import pyarrow.parquet
report = PoolReport()
try:
    count = sum(1 for _ in Pool(sys.argv[1]).seeds(report))
    print("read", count, report.skipped_in_words())
except Exception as error:
    print(type(error).__name__, error)
[peak] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(peak.split()[1]) // 1024)
"""


def read_in_a_process(path: Path) -> tuple[str, int]:
    """Return what came of it and the most memory it took, in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    *said, memory = done.stdout.strip().splitlines()
    return " ".join(said), int(memory)


@pytest.mark.parametrize("kind", sorted(PACKERS))
def test_a_bomb_of_packed_data_is_refused_in_little_memory(tmp_path: Path, kind: str) -> None:
    zeros = PACKERS[kind](b"0" * (1 << 26))

    said, memory = read_in_a_process(write(tmp_path, zeros * 8))

    assert f"of {kind} to more than" in said
    assert memory < 300


@pytest.mark.parametrize("nested", [False, True])
def test_500_bytes_of_parquet_that_stand_for_gigabytes_are_read_in_little_memory(
    tmp_path: Path, nested: bool
) -> None:
    text = "a" * 3_600_000
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array([text]))
    columns = {"instruction": shared}
    if nested:
        turns = pa.StructArray.from_arrays([pa.array(["user"] * 1000), shared], ["role", "content"])
        columns = {"messages": pa.ListArray.from_arrays(pa.array([0, 1000], pa.int32()), turns)}
    pq.write_table(
        pa.table(columns),
        tmp_path / "p",
        compression="zstd",
        store_schema=False,
        dictionary_pagesize_limit=1 << 30,
        write_statistics=False,
    )
    assert (tmp_path / "p").stat().st_size < 1_000

    said, memory = read_in_a_process(tmp_path / "p")

    assert memory < 500
    assert said.startswith("PoolError" if nested else "read 1 999 duplicate")


def test_a_line_of_300_megabytes_is_a_skipped_row_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "p"
    with path.open("wb") as file:
        file.write(b'{"instruction": "Say x."}\n{"instruction": "')
        for _ in range(300):
            file.write(b"a" * 1_000_000)
        file.write(b'"}\n{"instruction": "Say y."}\n')

    said, memory = read_in_a_process(path)

    assert said == "read 2 1 longer than 8 MiB (first: line 2)"
    assert memory < 250


def test_a_value_of_a_list_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PoolError, match="holds a value longer than 8 MiB"):
        pairs(write(tmp_path, json.dumps([{"instruction": "a" * 20_000_000}])))


def test_a_saved_dataset_is_read_and_one_of_several_splits_is_asked_for(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"instruction": "Name a colour.", "output": "Blue"}])
    rows.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(tmp_path / "two")

    assert pairs(tmp_path / "one") == [PAIR]
    assert pairs(f"{tmp_path / 'two'}:test") == [PAIR]
    with pytest.raises(PoolError, match=r"holds several splits: train, test; nothing was written\. Name one"):
        pairs(tmp_path / "two")
    with pytest.raises(PoolError, match="has no split 'dev'"):
        pairs(f"{tmp_path / 'two'}:dev")


def test_a_folder_of_parquet_is_read_in_order_with_a_digest_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "set" / "data").mkdir(parents=True)
    (tmp_path / "set" / "README.md").write_text("# set")
    for number in (1, 0):
        table = pa.table({"instruction": [f"Say {number}."]})
        pq.write_table(table, tmp_path / "set" / "data" / f"train-0000{number}-of-00002.parquet")
    before = Pool(tmp_path / "set").sha256
    report = PoolReport()

    assert pairs(tmp_path / "set", report) == [("Say 0.", None), ("Say 1.", None)]
    assert report.format == "2 files of Parquet of instruction rows"
    pq.write_table(
        pa.table({"instruction": ["Say 2."]}), tmp_path / "set" / "data" / "train-00001-of-00002.parquet"
    )
    assert Pool(tmp_path / "set").sha256 != before


def test_a_saved_dataset_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "state.json").write_text('{"_data_files": [{"filename": "../../etc/passwd"}]}')

    with pytest.raises(PoolError, match="names files outside of itself"):
        pairs(tmp_path / "set")
