"""A setting is defined once; option, variable, TOML key, keyword and reference page follow from it."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any, get_type_hints

import click
import pytest

from evolver import Evolution
from evolver.cli.estimate import command as estimate
from evolver.cli.run import command as run
from evolver.merge.formats import FORMATS as SHAPES
from evolver.settings import FORMATS, Options, Settings, given_settings, load_settings
from evolver.settings.definition import GROUPS, Entry
from evolver.settings.fields import entries
from scripts import write_settings

HERE = [one.name for one in entries()]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def another(one: Entry) -> tuple[str, Any]:
    """A value that is not the default, as text and as it is read."""
    if one.switch:
        return ("true", True) if one.default is False else ("false", False)
    if one.choices:
        return (one.choices[-1], one.choices[-1])
    if one.table:
        return ('{"top_k": 20}', {"top_k": 20})
    if one.many:
        return ("a,b", ("a,b",) if one.about.split is None else ("a", "b"))
    if one.plain_type is int:
        return ("64", 64) if one.about.ge == 64 else ("7", 7)
    if one.plain_type is float:
        return ("0.5", 0.5)
    return ("elsewhere", "elsewhere")


def value_of(settings: Settings, one: Entry) -> Any:
    return settings.by_purpose[one.purpose][one.base] if one.purpose else getattr(settings, one.name)


def given_pool(one: Entry) -> dict[str, Any]:
    return {} if one.name == "pool" else {"pool": "x"}


@pytest.mark.parametrize(
    "one", [one for one in entries() if one.at("command line")], ids=lambda one: one.name
)
def test_every_setting_comes_from_an_option(one: Entry) -> None:
    text, value = another(one)
    context = run.make_context("run", [one.flag] if one.switch else [one.flag, text])
    assert context.params[one.name] == ((text,) if one.many else value if one.switch else text)
    assert value_of(load_settings(**given_pool(one), **{one.name: context.params[one.name]}), one) == value


@pytest.mark.parametrize("one", entries(), ids=HERE)
def test_every_setting_comes_from_a_variable(one: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = another(one)
    monkeypatch.setenv(f"EVOLVE_{one.name.upper()}", text)
    assert value_of(load_settings(**given_pool(one)), one) == value


@pytest.mark.parametrize("one", entries(), ids=HERE)
def test_every_setting_comes_from_the_file(one: Entry, folder: Path) -> None:
    text, value = another(one)
    file = folder / "mine.toml"
    file.write_text(f"{one.name} = {text if one.switch else repr(text)}\n")
    assert value_of(load_settings(file, **given_pool(one)), one) == value


@pytest.mark.parametrize("one", [one for one in entries() if one.optional], ids=lambda one: one.name)
@pytest.mark.parametrize("door", ["option", "variable", "file"])
def test_none_leaves_a_parameter_out(
    one: Entry, door: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"pool": "x"}
    if door == "option" and not one.at("command line"):
        pytest.skip("it has no option")
    if door == "option":
        given[one.name] = "none"
    elif door == "variable":
        monkeypatch.setenv(f"EVOLVE_{one.name.upper()}", "None")
    else:
        (folder / "evolve.toml").write_text(f'{one.name} = "none"\n')
    assert value_of(load_settings(**given), one) is None


def test_the_keywords_of_python_are_exactly_those_written() -> None:
    assert write_settings.OPTIONS.read_text(encoding="utf-8") == write_settings.options()
    taken = {one.name for one in entries() if one.at("python")}
    arguments = {one.name for one in entries() if one.about.argument and one.at("python")}
    assert set(get_type_hints(Options)) == taken - arguments
    assert arguments <= set(inspect.signature(Evolution).parameters)


def test_the_reference_page_is_exactly_the_one_written() -> None:
    assert write_settings.PAGE.read_text(encoding="utf-8") == write_settings.page()


def test_run_and_estimate_take_the_same_options() -> None:
    besides = [["-v", "--verbose"], ["--log"], ["--dry-run"]]  # what an estimate has no use for
    assert [one.opts for one in run.params if one.opts not in besides] == [
        one.opts for one in estimate.params
    ]


def test_every_format_has_a_shape_and_every_shape_is_a_format() -> None:
    assert tuple(SHAPES) == FORMATS


def test_the_help_of_a_run_groups_its_options() -> None:
    shown = run.get_help(click.Context(run, info_name="run"))
    places = [shown.index(f"\n{group}:\n") for group in GROUPS if group != "Program"]
    assert places == sorted(places)
    assert shown.index("--rpm") > shown.index("Budget and limits:")
    assert shown.index("--rpm") < shown.index("Batches:")


def test_a_list_may_be_given_again_and_with_commas() -> None:
    context = run.make_context("run", ["--skip-rules", "refusal,truncated", "--skip-rules", "judge"])
    settings = load_settings(pool="x", skip_rules=context.params["skip_rules"])
    assert settings.skip_rules == ("refusal", "truncated", "judge")


def test_the_settings_a_run_keeps_hold_no_store_and_no_secret_of_an_address() -> None:
    settings = given_settings(pool="x", base_url="http://user:pw@host/v1", judge_model="openai:y")
    kept = settings.kept(lambda address: address.replace("user:pw@", ""))
    assert "store" not in kept
    assert kept["base_url"] == "http://host/v1"
    assert kept["judge_model"] == "openai:y"


def test_the_table_of_a_purpose_counts_for_it_alone(folder: Path) -> None:
    (folder / "evolve.toml").write_text('model = "openai:a"\n[judge]\nmodel = "openai:b"\n')
    settings = load_settings(pool="x")
    models = [settings.asking(purpose).model for purpose in ("evolve", "judge", "answer")]
    assert models == ["openai:a", "openai:b", "openai:a"]
    assert (settings.judge_model, settings.answer_model) == ("openai:b", None)


def test_what_the_table_of_evolving_alone_says_counts_for_all(folder: Path) -> None:
    (folder / "evolve.toml").write_text('[evolve]\nmodel = "openai:a"\n')
    settings = load_settings(pool="x")
    assert [settings.asking(purpose).model for purpose in ("evolve", "judge")] == ["openai:a"] * 2


def test_an_option_beats_the_table_of_evolving(folder: Path) -> None:
    (folder / "evolve.toml").write_text('[evolve]\nmodel = "openai:a"\n')
    settings = load_settings(pool="x", model="openai:c")
    assert settings.asking("evolve").model == "openai:c"
