"""Outputs load as they are in the real ``datasets`` package, offline, in the shapes that TRL's SFT trainer knows.

The shapes are those of TRL's documentation: language modelling, ``text`` or ``messages``; prompt and completion,
``prompt`` and ``completion``, here as conversations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest

from evolver.merge.dataset import merge
from evolver.merge.formats import FORMATS
from evolver.merge.job import MergeSettings, RunSource

Plant = Callable[..., RunSource]
pytestmark = pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed")

LOAD = """
import json, sys
from datasets import load_dataset

loaded = {}
for name in sys.argv[1:]:
    kind = {"jsonl": "json", "json": "json", "parquet": "parquet"}.get(name.rpartition(".")[2])
    rows = load_dataset(kind, data_files=name, split="train") if kind else load_dataset("./" + name, split="train")
    loaded[name] = {"rows": list(rows), "features": {key: str(value) for key, value in rows.features.items()}}
print(json.dumps(loaded))
"""
PAIRS = [("Sort <b> 日本語\r\n\t1", "```py\nx = 1\n```"), ("Add\u2028it", ' "\\" 🙂 ')]


def turns(row: list[dict[str, str]]) -> list[str]:
    return [turn.get("content", turn.get("value", "")) for turn in row]


def texts(name: str, row: dict[str, Any]) -> list[str]:
    """Return instruction and response of a row, from the columns its format promises and no others."""
    match name, row:
        case "text", {"text": text}:
            _, _, rest = text.partition("### Instruction:\n")
            return list(rest.split("\n\n### Response:"))
        case "wizardcoder", {"instruction": instruction, "output": output}:
            return [instruction, output]
        case "alpaca", {"instruction": instruction, "input": "", "output": output}:
            return [instruction, output]
        case "messages", {"messages": messages}:
            assert [turn["role"] for turn in messages] == ["user", "assistant"]
            return turns(messages)
        case "sharegpt", {"conversations": conversations}:
            return turns(conversations)
        case "prompt-completion", {"prompt": prompt, "completion": completion}:
            assert [prompt[0]["role"], completion[0]["role"]] == ["user", "assistant"]
            return turns(prompt) + turns(completion)
    raise AssertionError(row)


@pytest.fixture(scope="module")
def loaded(plant: Plant, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every format in every container, loaded by one process: importing ``datasets`` takes seconds."""
    folder = tmp_path_factory.mktemp("loading")
    rows = [(place, place, question, answer) for place, (question, answer) in enumerate(PAIRS)]
    source = plant(folder / "s.db", rows)
    names = []
    for format_ in FORMATS:
        for ending in (".jsonl", ".json", ".parquet", ""):
            names.append(f"{format_}{ending}")
            settings = MergeSettings(format=format_, order="sequential", provenance=ending == ".parquet")
            merge([source], folder / names[-1], settings)
    offline = {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "home"),
        "HF_DATASETS_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *names],
        cwd=folder,
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".parquet", ""])
@pytest.mark.parametrize("format_", FORMATS)
def test_every_output_loads_with_its_texts_unchanged(
    loaded: dict[str, Any], format_: str, ending: str
) -> None:
    rows = loaded[f"{format_}{ending}"]["rows"]

    assert [texts(format_, row) for row in rows] == [list(pair) for pair in PAIRS]


def test_provenance_loads_as_columns(loaded: dict[str, Any]) -> None:
    seed, evolved = loaded["alpaca.parquet"]["rows"]

    assert (seed["mutator"], evolved["mutator"]) == (None, "deepen")
    assert (seed["epoch"], evolved["epoch"], evolved["source"]) == (0, 1, "evol")


def test_the_shapes_of_supervised_fine_tuning_have_their_columns_and_no_others(
    loaded: dict[str, Any],
) -> None:
    columns = {
        name: set(loaded[name]["features"]) for name in ("text.jsonl", "messages", "prompt-completion.json")
    }

    assert columns == {
        "text.jsonl": {"text"},
        "messages": {"messages"},
        "prompt-completion.json": {"prompt", "completion"},
    }
