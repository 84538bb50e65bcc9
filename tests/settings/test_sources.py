"""Where settings come from: variables, the file, Python; and what is said of a mistake in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evolver import Evolution
from evolver.errors import SettingsError, UsageError
from evolver.settings import given_settings, load_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with no EVOLVE_* variable."""
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("value", "judge"),
    [("1", False), ("true", False), ("Yes", False), ("on", False), ("0", True), ("false", True)],
)
def test_a_variable_named_as_the_no_flag_turns_its_setting_around(
    monkeypatch: pytest.MonkeyPatch, value: str, judge: bool
) -> None:
    monkeypatch.setenv("EVOLVE_NO_JUDGE", value)
    assert load_settings(pool="x").judge is judge


def test_the_file_may_say_no_as_the_flag_does(folder: Path) -> None:
    (folder / "evolve.toml").write_text("no_cache = true\n")
    assert load_settings(pool="x").cache is False


def test_a_no_variable_beats_the_plain_key_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "evolve.toml").write_text("cache = true\n")
    monkeypatch.setenv("EVOLVE_NO_CACHE", "1")
    assert load_settings(pool="x").cache is False


def test_a_no_variable_that_is_neither_true_nor_false_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_NO_JUDGE", "perhaps")
    with pytest.raises(SettingsError, match="the variable EVOLVE_NO_JUDGE cannot be 'perhaps'"):
        load_settings(pool="x")


def test_a_setting_and_its_opposite_side_by_side_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_NO_JUDGE", "1")
    monkeypatch.setenv("EVOLVE_JUDGE", "1")
    with pytest.raises(SettingsError, match="exclude each other"):
        load_settings(pool="x")


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("MODL", "Did you mean 'model'?"),
        ("NO_JUGDE", "Did you mean 'no_judge'?"),
        ("NO_MODEL", "there is no setting"),
    ],
)
def test_a_mistyped_variable_is_an_error_with_the_name_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    monkeypatch.setenv(f"EVOLVE_{variable}", "x")
    with pytest.raises(SettingsError) as caught:
        load_settings(pool="x")
    assert f"there is no setting {variable.lower()!r} (the variable EVOLVE_{variable})" in str(caught.value)
    assert hint in str(caught.value)


def test_a_mistyped_pool_is_told_before_the_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_POOLL", "x")
    with pytest.raises(SettingsError, match="Did you mean 'pool'"):
        load_settings()


def test_a_blank_variable_counts_as_unset(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "evolve.toml").write_text("limit = 3\n")
    monkeypatch.setenv("EVOLVE_LIMIT", "")
    monkeypatch.setenv("EVOLVE_NO_JUDGE", "")
    settings = load_settings(pool="x")
    assert (settings.limit, settings.judge) == (3, True)


def test_a_missing_pool_and_a_wrong_value_of_an_option_are_wrong_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError) as missing:
        load_settings()
    with pytest.raises(UsageError) as impossible:
        load_settings(pool="x", epochs="64")
    assert (missing.value.exit_code, impossible.value.exit_code) == (2, 2)


def test_a_wrong_value_of_a_variable_is_a_stated_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_EPOCHS", "64")
    with pytest.raises(SettingsError) as impossible:
        load_settings(pool="x")
    assert impossible.value.exit_code == 1


def test_python_may_name_files_by_path_objects(folder: Path) -> None:
    settings = given_settings(pool=folder / "pool", store=folder / "a.db", output=folder / "out.jsonl")
    assert (settings.pool, settings.store, settings.output) == (
        str(folder / "pool"),
        str(folder / "a.db"),
        str(folder / "out.jsonl"),
    )


def test_a_run_takes_path_objects_for_store_and_output(folder: Path) -> None:
    (folder / "pool.txt").write_text("Name a river.\n")
    Evolution(pool=folder / "pool.txt", epochs=1, store=folder / "a.db", output=folder / "out.jsonl").run()
    assert (folder / "a.db").exists()
    assert (folder / "out.jsonl").exists()


def test_a_list_of_mutators_without_a_name_is_not_taken_for_none() -> None:
    assert load_settings(pool="x", mutators=",").mutators == ("", "")


def test_an_option_beats_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLVE_EPOCHS", "2")
    assert load_settings(pool="x", epochs="3").epochs == 3
