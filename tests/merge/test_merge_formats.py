"""What a row looks like in each format and file, and that its texts come through byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evolver.errors import OutputError
from evolver.merge.containers import CONTAINERS
from evolver.merge.dataset import merge
from evolver.merge.formats import FORMATS
from evolver.merge.job import MergeSettings, RunSource
from evolver.settings import Format
from evolver_store.schema import row_id

Plant = Callable[..., RunSource]

HEAD = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    "\n\n### Instruction:\n"
)
ENDINGS = ("jsonl", "json", "parquet")
# What SQLite can hold: any text but lone surrogates.
storable = st.text(st.characters(exclude_categories=["Cs"]))
answers = storable.filter(str.strip)


def read(file: Path) -> list[dict[str, Any]]:
    match file.suffix:
        case ".jsonl":
            return [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
        case ".json":
            rows: list[dict[str, Any]] = json.loads(file.read_bytes())
            return rows
        case _:
            table: list[dict[str, Any]] = pq.read_table(file).to_pylist()
            return table


def pair(name: str, record: dict[str, Any]) -> tuple[str, str]:
    match name, record:
        case ("wizardcoder", {"instruction": question, "output": answer}) if len(record) == 2:
            return question, answer
        case ("alpaca", {"instruction": question, "input": "", "output": answer}) if len(record) == 3:
            return question, answer
        case ("prompt-completion", {"prompt": [{"role": "user"} as user], "completion": [reply]}):
            assert reply["role"] == "assistant"
            return user["content"], reply["content"]
        case ("messages", {"messages": [{"role": "user"} as user, {"role": "assistant"} as reply]}):
            return user["content"], reply["content"]
        case (
            "sharegpt",
            {"idx": 0 | 1 | 2, "conversations": [{"from": "human"} as human, {"from": "gpt"} as gpt]},
        ):
            return human["value"], gpt["value"]
    raise AssertionError(record)


@settings(max_examples=20, deadline=None)
@given(pairs=st.lists(st.tuples(storable, answers), min_size=1, max_size=3))
@example(
    pairs=[
        ("<b>&amp;{{ x }}{% y %}\r\n\t", "```py\r\nx = 1\r```\n\n"),
        ("\ufeff\u2028\u2029\x85\x00", "\U0010ffff"),
    ]
)
@example(pairs=[("", "### Response:"), ("日本語、\u3000絵文字🙂", ' "\\" \\u0000 ')])
def test_every_text_comes_out_as_it_went_in(plant: Plant, pairs: list[tuple[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        source = plant(
            Path(folder) / "s.db",
            [(place, 0, question, answer) for place, (question, answer) in enumerate(pairs)],
        )
        for ending in ENDINGS:
            for name in FORMATS:
                output = Path(folder) / f"{name}.{ending}"
                merge([source], output, MergeSettings(format=name, order="sequential"))
                if name == "text":
                    wanted = [
                        {"text": f"{HEAD}{question}\n\n### Response:{answer}"} for question, answer in pairs
                    ]
                    assert read(output) == wanted
                else:
                    assert [pair(name, record) for record in read(output)] == pairs


def test_text_is_written_as_itself_and_not_as_escapes(plant: Plant, tmp_path: Path) -> None:
    merge([plant(tmp_path / "s.db", [(0, 0, "日本語", "é")])], tmp_path / "o.jsonl", MergeSettings())

    assert (tmp_path / "o.jsonl").read_text("utf-8") == '{"instruction": "日本語", "output": "é"}\n'


@given(record=st.dictionaries(storable, st.recursive(storable | st.integers(0, 2**53) | st.none(), st.lists)))
@example(record={"a": "\x00\x08\t\n\x0c\r\x1f\x7f\u2028\u2029", "b": [{"c": '"\\/'}], "": [], "d": {}})
def test_a_line_of_json_is_what_pythons_own_writer_makes_of_its_record(record: dict[str, Any]) -> None:
    made = BytesIO()
    with CONTAINERS[".jsonl"](made, record) as write:
        write([record])

    assert made.getvalue() == f"{json.dumps(record, ensure_ascii=False)}\n".encode()


def test_a_json_list_of_several_slices_is_one_list(plant: Plant, tmp_path: Path) -> None:
    source = plant(tmp_path / "s.db", [(place, 0, str(place), "x") for place in range(2001)])

    merge([source], tmp_path / "o.json", MergeSettings(order="sequential", format="sharegpt"))

    assert [record["idx"] for record in read(tmp_path / "o.json")] == list(range(2001))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_provenance_says_where_each_row_comes_from(
    plant: Plant, tmp_path: Path, name: Format, ending: str
) -> None:
    source = plant(tmp_path / "s.db", [(7, 0, "seed", "x"), (7, 2, "evolved", "y")])
    output = tmp_path / f"o.{ending}"

    merge([source], output, MergeSettings(format=name, order="epoch", provenance=True))

    seed, evolved = read(output)
    wanted = {"run": "run1", "root": row_id(1, 7), "source": "evol"}
    assert seed.items() >= {**wanted, "id": row_id(1, 7), "epoch": 0, "mutator": None}.items()
    assert evolved.items() >= {**wanted, "id": row_id(1, 7, 2, 1), "epoch": 2, "mutator": "deepen"}.items()


def test_parquet_keeps_its_types_where_a_whole_slice_has_no_mutator(plant: Plant, tmp_path: Path) -> None:
    seeds = [(place, 0, "seed", "x") for place in range(2000)]
    source = plant(tmp_path / "s.db", [*seeds, (0, 1, "evolved", "y")])

    merge([source], tmp_path / "o.parquet", MergeSettings(order="epoch", provenance=True))

    file = pq.ParquetFile(tmp_path / "o.parquet")
    assert file.metadata.num_row_groups == 2
    assert str(file.schema_arrow.field("mutator").type) == "string"
    assert read(tmp_path / "o.parquet")[-1]["mutator"] == "deepen"


@pytest.mark.parametrize("ending", [*ENDINGS, "JSONL"])
def test_two_merges_are_the_same_bytes(plant: Plant, tmp_path: Path, ending: str) -> None:
    source = plant(
        tmp_path / "s.db", [(place, 0, f"question {place}", "x" * place) for place in range(1, 2100)]
    )
    outputs = [tmp_path / f"{name}.{ending}" for name in "ab"]

    for output in outputs:
        merge([source], output, MergeSettings(seed=3))

    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize("name", ["o.csv", "o.1", "o.jsonl.gz", ".json"])
def test_an_unknown_ending_is_refused_with_the_known_ones(plant: Plant, tmp_path: Path, name: str) -> None:
    source = plant(tmp_path / "s.db", [(0, 0, "seed", "x")])

    with pytest.raises(OutputError, match=r"End it in \.jsonl, \.json or \.parquet, or give it no ending"):
        merge([source], tmp_path / name, MergeSettings())

    assert not (tmp_path / name).exists()
