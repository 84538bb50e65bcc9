"""What a model thought before it answered, in a dataset: nowhere, before the answer, or in a field of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from evolver.errors import SettingsError
from evolver.merge.dataset import merge
from evolver.merge.formats import FORMATS
from evolver.merge.job import Cleaning, MergeSettings, RunSource
from evolver.settings.choices import Format, Reasoning
from evolver_store.schema import instructions, row_id

Plant = Callable[..., RunSource]
ROWS = [(0, 0, "Name a river.", "The Elbe."), (1, 0, "Name a lake.", "Lake Ohrid.")]
THOUGHT = "A river, then.\nThe Elbe will do."
INLINE = f"<think>\n{THOUGHT}\n</think>\n\nThe Elbe."
ENDINGS = ("jsonl", "json", "parquet")


@pytest.fixture
def source(plant: Plant, tmp_path: Path) -> RunSource:
    """Two seeds; the model thought before it answered the first."""
    planted = plant(tmp_path / "a.db", ROWS)
    think(planted, row_id(1, 0), f"\n{THOUGHT}\n")
    return planted


def think(source: RunSource, id_: int, thought: str | None) -> None:
    with source.engine.begin() as conn:
        conn.execute(update(instructions).where(instructions.c.id == id_).values(reasoning=thought))


def merged(
    source: RunSource, folder: Path, format_: Format, reasoning: Reasoning, ending: str = "jsonl", **more: Any
) -> list[dict[str, Any]]:
    output = folder / f"out.{ending}"
    merge([source], output, MergeSettings(format_, "sequential", reasoning=reasoning), **more)
    if ending == "parquet":
        rows: list[dict[str, Any]] = pq.read_table(output).to_pylist()
        return rows
    text = output.read_text(encoding="utf-8")
    return json.loads(text) if ending == "json" else [json.loads(line) for line in text.splitlines()]


def texts(record: object) -> str:
    return json.dumps(record, ensure_ascii=False)


@pytest.mark.parametrize("format_", FORMATS)
def test_without_it_nothing_of_the_thought_is_in_any_format(
    source: RunSource, tmp_path: Path, format_: Format
) -> None:
    rows = merged(source, tmp_path, format_, "none")

    assert "will do" not in texts(rows)
    assert "reasoning" not in texts(rows)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("format_", FORMATS)
def test_inline_it_stands_in_think_tags_before_the_answer(
    source: RunSource, tmp_path: Path, format_: Format, ending: str
) -> None:
    first, second = merged(source, tmp_path, format_, "inline", ending)

    answers = {
        "wizardcoder": lambda row: row["output"],
        "alpaca": lambda row: row["output"],
        "text": lambda row: row["text"].rpartition("### Response:")[2],
        "messages": lambda row: row["messages"][-1]["content"],
        "sharegpt": lambda row: row["conversations"][-1]["value"],
        "prompt-completion": lambda row: row["completion"][-1]["content"],
    }
    assert answers[format_](first) == INLINE
    assert answers[format_](second) == "Lake Ohrid."


@pytest.mark.parametrize("format_", ["messages", "prompt-completion"])
def test_as_a_field_it_stands_beside_the_content_of_the_answer(
    source: RunSource, tmp_path: Path, format_: Format
) -> None:
    first, second = merged(source, tmp_path, format_, "field")

    name = "messages" if format_ == "messages" else "completion"
    assert first[name][-1] == {
        "role": "assistant",
        "content": "The Elbe.",
        "reasoning_content": THOUGHT,
    }
    assert second[name][-1] == {"role": "assistant", "content": "Lake Ohrid."}
    assert "reasoning_content" not in texts(first["messages"][0] if name == "messages" else first["prompt"])


@pytest.mark.parametrize("format_", ["wizardcoder", "alpaca"])
def test_as_a_field_it_is_a_column_of_instruction_and_output(
    source: RunSource, tmp_path: Path, format_: Format
) -> None:
    first, second = merged(source, tmp_path, format_, "field")

    assert (first["output"], first["reasoning_content"]) == ("The Elbe.", THOUGHT)
    assert "reasoning_content" not in second


@pytest.mark.parametrize("format_", ["wizardcoder", "messages", "prompt-completion"])
def test_in_parquet_the_field_of_a_row_without_it_is_null(
    source: RunSource, tmp_path: Path, format_: Format
) -> None:
    first, second = merged(source, tmp_path, format_, "field", "parquet")

    def owner(row: dict[str, Any]) -> dict[str, Any]:
        return (
            row if format_ == "wizardcoder" else row[{"messages": "messages"}.get(format_, "completion")][-1]
        )

    assert owner(first)["reasoning_content"] == THOUGHT
    assert owner(second)["reasoning_content"] is None


@pytest.mark.parametrize("format_", ["text", "sharegpt"])
def test_a_format_without_a_place_for_a_field_is_refused(format_: Format) -> None:
    with pytest.raises(SettingsError, match=f"the format {format_} has no field for reasoning"):
        MergeSettings(format_, reasoning="field")


def test_a_place_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsError, match="there are none, inline, field"):
        MergeSettings(reasoning="beside")  # type: ignore[arg-type]


@pytest.mark.parametrize("thought", ["", " \n"])
def test_a_thought_of_nothing_is_none(source: RunSource, tmp_path: Path, thought: str) -> None:
    think(source, row_id(1, 0), thought)

    assert merged(source, tmp_path, "wizardcoder", "inline")[0]["output"] == "The Elbe."


def test_the_folder_says_where_the_thoughts_are(source: RunSource, tmp_path: Path) -> None:
    merge([source], tmp_path / "set", MergeSettings("messages", reasoning="inline"))

    readme = (tmp_path / "set" / "README.md").read_text(encoding="utf-8")
    assert "in <think> tags before the answer, where the model thought" in readme.replace("\\", "").replace(
        "&lt;", "<"
    ).replace("&gt;", ">")


def test_cleaning_never_reads_a_thought(plant: Plant, tmp_path: Path) -> None:
    rows = [(0, 0, "Sum a list.", "Use sum()."), (1, 0, "Sort a list.", "Use sorted().")]
    planted = plant(tmp_path / "b.db", rows)
    benchmark = tmp_path / "bench.jsonl"
    leaked = "return the longest run of equal digits of a number that is written in base seven without zeros"
    benchmark.write_text(json.dumps({"instruction": leaked, "output": leaked}) + "\n", encoding="utf-8")
    think(planted, row_id(1, 0), leaked)
    think(planted, row_id(1, 1), leaked)

    cleaning = Cleaning("near", decontaminate=(benchmark,), rules=("default",))
    assert len(merged(planted, tmp_path, "wizardcoder", "inline", cleaning=cleaning)) == 2
