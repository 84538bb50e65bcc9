"""Configurations for training: every key is one of its program's, and what they name is in the dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner, Result

from evolver import Evolution, merge
from evolver.cli.main import main
from evolver.errors import EvolverError, OutputError, SettingsError
from evolver.settings import FORMATS, Format
from evolver.settings.choices import RECIPES, Recipe

# What the programs' own classes take, read from the sources that "version" and "source" name.
FIELDS = json.loads((Path(__file__).parent / "data" / "training_fields.json").read_text("utf-8"))
POOL = [{"instruction": f"Explain how the word {word} came about.", "output": "Slowly."} for word in "abc"]
READ: Mapping[Recipe, tuple[Format, ...]] = {
    "trl": ("prompt-completion", "messages", "text"),
    "axolotl": ("wizardcoder", "messages", "alpaca", "sharegpt", "text"),
    "llama-factory": ("wizardcoder", "messages", "alpaca", "sharegpt", "text"),
}
MADE = [(recipe, format_) for recipe, formats in READ.items() for format_ in formats]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    Evolution(POOL, epochs=1, store=str(folder / "e.db"), output=None).run()
    return folder / "e.db"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def read(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(path).read_text("utf-8"))
    return loaded


def first_row(path: str) -> dict[str, Any]:
    if path.endswith(".parquet"):
        rows: list[dict[str, Any]] = pq.read_table(path).slice(0, 1).to_pylist()
    elif path.endswith(".json"):
        rows = json.loads(Path(path).read_text("utf-8"))
    else:
        rows = [json.loads(Path(path).read_text("utf-8").splitlines()[0])]
    return rows[0]


def columns_named(recipe: Recipe, config: dict[str, Any]) -> tuple[str, set[str]]:
    """Return the dataset's file and the columns that a configuration reads."""
    if recipe == "llama-factory":
        about = json.loads(Path("dataset_info.json").read_text("utf-8"))[config["dataset"]]
        return about["file_name"], set(about["columns"].values())
    (about,) = config["datasets"]
    if recipe == "trl":
        return about["data_files"], set(about["columns"])
    match about["type"]:
        case "chat_template":
            return about["path"], {about["field_messages"]}
        case "alpaca":
            return about["path"], {"instruction", "input", "output"}
        case "completion":
            return about["path"], {about["field"]}
        case kind:
            return about["path"], {kind["field_instruction"], kind["field_output"]}


@pytest.mark.parametrize(("recipe", "format_"), MADE)
@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
def test_a_recipe_names_the_file_and_columns_that_are_there(
    store: Path, recipe: Recipe, format_: Format, ending: str
) -> None:
    merge(f"train.{ending}", stores=store, format=format_, recipe=recipe, provenance=True)

    config = read(f"train.{recipe}.yaml")
    file, columns = columns_named(recipe, config)
    assert file == f"train.{ending}"
    assert columns <= set(first_row(file))


@pytest.mark.parametrize(("recipe", "format_"), MADE)
@pytest.mark.parametrize("output", ["train.jsonl", "dataset"])
def test_every_key_of_a_recipe_is_one_of_its_programs(
    store: Path, recipe: Recipe, format_: Format, output: str
) -> None:
    merge(output, stores=store, format=format_, recipe=recipe)

    known = FIELDS[recipe]
    config = read(f"{Path(output).stem}.{recipe}.yaml")
    assert set(config) <= set(known["fields"])
    if recipe == "llama-factory":
        (about,) = json.loads(Path("dataset_info.json").read_text("utf-8")).values()
        assert set(about) <= {"file_name", "columns", "tags", *known["dataset"]}
        assert set(about["columns"]) | set(about.get("tags", {})) <= set(known["dataset"])
    else:
        assert set(config["datasets"][0]) <= set(known["dataset"])
    if recipe == "axolotl" and isinstance(kind := config["datasets"][0]["type"], dict):
        assert set(kind) <= set(known["type"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_folder_is_named_so_that_its_program_finds_the_rows_alone(store: Path, recipe: Recipe) -> None:
    merge("set", stores=store, format="messages", recipe=recipe)

    if recipe == "llama-factory":
        where = json.loads(Path("dataset_info.json").read_text("utf-8"))["set"]["file_name"]
        assert [path.suffix for path in Path(where).iterdir()] == [".parquet"]
    else:
        assert read(f"set.{recipe}.yaml")["datasets"][0]["path"] == "./set"
    assert f"set.{recipe}.yaml" in Path("set/README.md").read_text("utf-8")


def test_the_prompt_for_code_llama_and_starcoder_is_that_of_the_text_format(store: Path) -> None:
    merge("train.jsonl", stores=store, format="wizardcoder", order="sequential", recipe="axolotl")
    merge("text.jsonl", stores=store, format="text", order="sequential")

    prompt = read("train.axolotl.yaml")["datasets"][0]["type"]["no_input_format"]
    row = first_row("train.jsonl")
    assert prompt.format(instruction=row["instruction"]) + row["output"] == first_row("text.jsonl")["text"]


@pytest.mark.parametrize(
    ("recipe", "format_"),
    [(recipe, one) for recipe in RECIPES for one in FORMATS if one not in READ[recipe]],
)
def test_rows_that_a_program_cannot_read_are_refused_with_those_it_can(
    store: Path, recipe: Recipe, format_: Format
) -> None:
    with pytest.raises(SettingsError, match=f"Say --format {READ[recipe][0]} "):
        merge("train.jsonl", stores=store, format=format_, recipe=recipe)
    assert not any(Path().glob("train*"))


def test_an_unknown_recipe_is_refused(store: Path) -> None:
    with pytest.raises(SettingsError, match=r"'keras'; there are trl, axolotl, llama-factory"):
        merge("train.jsonl", stores=store, recipe="keras")  # type: ignore[arg-type]


def evolve(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_run_writes_its_recipe_and_again_over_its_own() -> None:
    Path("pool.json").write_text(json.dumps(POOL), "utf-8")
    run = ("--pool", "pool.json", "--epochs", "1", "--quiet", "--recipe", "llama-factory")

    first, second = evolve(*run), evolve(*run)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert read("evolved.llama-factory.yaml")["dataset"] == "evolved"
    assert json.loads(Path("dataset_info.json").read_text("utf-8"))["evolved"]["file_name"] == "evolved.jsonl"


@pytest.mark.parametrize("theirs", ["evolved.llama-factory.yaml", "dataset_info.json"])
def test_a_run_replaces_no_configuration_of_others_unless_forced(theirs: str) -> None:
    Path("pool.json").write_text(json.dumps(POOL), "utf-8")
    Path(theirs).write_text("mine", "utf-8")
    run = ("--pool", "pool.json", "--epochs", "1", "--quiet", "--recipe", "llama-factory")

    refused = evolve(*run)

    assert refused.exit_code == 1
    assert Path(theirs).read_text("utf-8") == "mine"
    assert not Path("evolve.db").exists()
    assert evolve(*run, "--force").exit_code == 0
    assert Path(theirs).read_text("utf-8") != "mine"


def test_a_merge_replaces_no_configuration_that_was_edited(store: Path) -> None:
    merge("train.jsonl", stores=store, recipe="axolotl")
    merge("train.jsonl", stores=store, recipe="axolotl")
    Path("train.axolotl.yaml").write_text("base_model: mine\n", "utf-8")

    with pytest.raises(OutputError, match="has been changed since it was written"):
        merge("train.jsonl", stores=store, recipe="axolotl")
    assert read("train.axolotl.yaml") == {"base_model": "mine"}


def test_a_recipe_without_a_dataset_is_refused_before_the_run() -> None:
    with pytest.raises(EvolverError, match="written beside a dataset"):
        Evolution(POOL, epochs=1, output=None, recipe="axolotl").run()
    assert not Path("evolve.db").exists()


def test_the_account_names_the_configuration(store: Path) -> None:
    told = evolve("merge", "--store", str(store), "--output", "t.jsonl", "--recipe", "axolotl", "--json")

    assert told.exit_code == 0, told.output
    assert "Configuration t.axolotl.yaml." in told.stderr
    assert json.loads(told.stdout)["recipe"] == ["t.axolotl.yaml"]
