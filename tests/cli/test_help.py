"""The help is quick and whole: nothing heavy is imported for it, nothing in it is left without a word."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import evolver
from evolver.cli.main import COMMANDS, main

HEAVY = {
    "aiohttp",
    "anthropic",
    "asyncio",
    "datasets",
    "genai_prices",
    "jinja2",
    "langchain",
    "langchain_core",
    "networkx",
    "numpy",
    "openai",
    "pandas",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pydantic_settings",
    "ray",
    "rich",
    "sqlalchemy",
    "yaml",
}
PROVIDERS = {
    "aiohttp",
    "anthropic",
    "genai_prices",
    "httpx2",
    "langchain",
    "langchain_core",
    "networkx",
    "numpy",
    "openai",
    "psycopg",
    "pyarrow",
}

# Runs the command as its script does, then tells on the last line of stderr what was imported on the way.
PROBE = """
import json, sys
sys.argv = ["evolve", *sys.argv[1:]]
from evolver.cli.main import run
try:
    run()
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def imported_by(*arguments: str, folder: Path) -> set[str]:
    """Run ``evolve`` in a fresh interpreter; name the top-level modules it imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["-h"], ["--version"], ["run", "--help"], ["mutators", "--help"]]
)
def test_help_and_version_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert imported_by(*arguments, folder=tmp_path) & HEAVY == set()


def test_importing_evolver_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    code = "import json, sys; old = set(sys.modules); import evolver; print(json.dumps(sorted(set(sys.modules) - old)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, encoding="utf-8"
    )

    found = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert found - sys.stdlib_module_names == {"evolver"}


def test_a_run_with_the_embedded_model_imports_no_provider_and_no_file_format_it_does_not_use(
    tmp_path: Path,
) -> None:
    pool = [{"instruction": "Name three uses of a brick.", "output": "A wall, a doorstop, a step."}]
    (tmp_path / "pool.json").write_text(json.dumps(pool), encoding="utf-8")

    imported = imported_by("--pool", "pool.json", "--epochs", "1", folder=tmp_path)

    assert "sqlalchemy" in imported
    assert imported & PROVIDERS == set()


def test_the_public_names_are_exactly_these() -> None:
    assert sorted(evolver.__all__) == [
        "AllFailedError",
        "AttemptEnded",
        "BatchMissingError",
        "BatchProgress",
        "BudgetError",
        "CallEnded",
        "CallRetried",
        "Candidate",
        "Completion",
        "CostWarning",
        "Drop",
        "Estimate",
        "Event",
        "Evolution",
        "EvolverError",
        "Lineage",
        "MergeReport",
        "Merging",
        "Model",
        "ModelError",
        "Mutator",
        "NewerStoreError",
        "NoPoolError",
        "NotAStoreError",
        "Notice",
        "OutputError",
        "PluginError",
        "Pool",
        "PoolError",
        "PoolRead",
        "Prompt",
        "Provider",
        "QueryError",
        "Request",
        "Result",
        "RowModelError",
        "Rows",
        "RunBusyError",
        "RunMissingError",
        "RunModelError",
        "RunStarted",
        "RunStats",
        "Sampling",
        "SeedAnswered",
        "SettingsError",
        "Setup",
        "StoppedError",
        "Stopping",
        "StoreError",
        "StoreMissingError",
        "TransientModelError",
        "UnknownBatchError",
        "UnknownNameError",
        "UnknownQueryError",
        "Unusable",
        "UsageError",
        "__version__",
        "load_rules",
        "merge",
        "mutator",
        "quote",
        "rule",
    ]
    assert dir(evolver) == sorted(evolver.__all__)


@pytest.mark.parametrize("name", evolver.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(evolver, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Evolutoin'"):
        getattr(evolver, "Evolutoin")  # noqa: B009  # mypy would refuse the plain attribute


def subcommand(name: str) -> click.Command:
    command = import_module(f"evolver.cli.{name}").command
    assert isinstance(command, click.Command)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_says_what_it_does_and_shows_an_example(name: str) -> None:
    text = subcommand(name).help or ""

    assert text.split("\n")[0].endswith(".")
    assert f"evolve {name}" in text or "evolve --pool" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_subcommand_has_a_help_text(name: str) -> None:
    options = [one for one in subcommand(name).params if isinstance(one, click.Option)]

    assert [one.name for one in options if not one.help] == []
    assert [one.name for one in options if not (one.help or "").rstrip().endswith((".", "]", "…"))] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_answers_to_help_and_names_its_options(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])

    assert shown.exit_code == 0
    for option in subcommand(name).params:
        if isinstance(option, click.Option):
            assert option.opts[0] in shown.stdout


def test_the_first_help_lists_every_subcommand_and_every_option_of_a_run() -> None:
    shown = CliRunner().invoke(main, ["--help"]).stdout

    assert all(f"  {name} " in shown for name in COMMANDS)
    assert all(option.opts[0] in shown for option in subcommand("run").params)


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_help_fits_a_terminal_of_80_columns(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, [*arguments, "--help"], terminal_width=80).stdout

    too_wide = [line for line in shown.splitlines() if len(line) > 80]
    assert all(line.lstrip().startswith("evolve ") for line in too_wide)  # example commands are never broken
