"""What holds for every subcommand: where options may stand, how often, and what a mistyped name is answered with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evolver.cli.main import COMMANDS, main

EVOLVE = Path(sys.executable).with_name("evolve")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evolve(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.mark.parametrize(
    "args",
    [
        ("--pool", "a.json", "--pool", "b.json"),
        ("--pool=a.json", "run", "--pool=b.json"),
        ("run", "--pool", "a.json", "--pool", "a.json"),
        ("--store", "a.db", "stats", "--store", "b.db"),
        ("estimate", "--pool", "a.json", "--pool", "b.json"),
        ("sql", "--limit", "1", "SELECT 1", "--limit", "2"),
        ("mutators", "--preset", "wizardlm", "--preset", "wizardcoder"),
    ],
)
def test_an_option_that_takes_one_value_refuses_a_second(args: tuple[str, ...], folder: Path) -> None:
    done = evolve(*args)
    assert done.exit_code == 2
    assert "is given 2 times and takes one value; nothing was done." in done.stderr
    assert not list(folder.iterdir())


def test_a_list_may_be_given_again() -> None:
    done = evolve("merge", "--store", "a.db", "--store", "b.db")
    assert "given 2 times" not in done.stderr + str(done.exception)


def test_a_switch_may_be_given_again() -> None:
    assert evolve("mutators", "--json", "--json").exit_code == 0


def test_options_may_stand_before_the_subcommand() -> None:
    written = evolve("--mutators", "deepen", "--json", "mutators")
    assert written.exit_code == 0, written.stderr
    assert [json.loads(line)["name"] for line in written.stdout.splitlines()] == ["deepen"]


def test_the_value_of_an_option_is_no_subcommand() -> None:
    done = evolve("--pool", "stats")
    assert "stats does not exist" in str(done.exception)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("stat",), "there is no command 'stat'; nothing was done. Did you mean 'stats'?"),
        (("estimte", "--pool", "x"), "Did you mean 'estimate'?"),
        (("zzzzzz",), "'evolve --help' lists them."),
        (("merge", "--format", "alpca"), "Did you mean 'alpaca'?"),
        (("merge", "--order", "shufle"), "Did you mean 'shuffle'?"),
        (("run", "--pool", "x", "--formt", "alpaca"), "Did you mean one of: '--force', '--format', '--rpm'?"),
    ],
)
def test_a_mistyped_name_is_wrong_usage_with_the_one_that_was_meant(args: tuple[str, ...], hint: str) -> None:
    done = evolve(*args)
    assert done.exit_code == 2
    assert hint in done.stderr


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_the_version_has_a_short_option(option: str) -> None:
    assert evolve(option).stdout.startswith("evolver ")


CP1252 = {"PYTHONIOENCODING": "cp1252"}
ASCII = {"PYTHONIOENCODING": "ascii:strict"}
C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("setting", "args"),
    [(CP1252, ["--help"]), (C, ["--help"]), (C, ["run", "--help"])]
    # ASCII has the fewest signs, so it stands for the others
    + [(ASCII, args) for args in [["--help"], *([name, "--help"] for name in COMMANDS), ["sql", "--list"]]],
)
def test_a_terminal_that_cannot_write_every_sign_crashes_no_help(
    setting: dict[str, str], args: list[str]
) -> None:
    done = printed(args, setting)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_the_commands_that_draw_a_lineage_crash_on_no_terminal(known_store: str) -> None:
    first = printed(["sql", "SELECT MIN(id) AS id FROM instructions", "--json", "--store", known_store], {})
    row = str(json.loads(first.stdout)["id"])
    for args in (["lineage", row], ["diff", row], ["stats"], ["runs"], ["sql", "SELECT '✓ é 😀' AS t"]):
        for encoding in ("cp1252", "ascii:strict"):
            done = printed([*args, "--store", known_store], {"PYTHONIOENCODING": encoding})
            assert b"Traceback" not in done.stderr, done.stderr
            assert done.returncode == 0 or b"evolve: " in done.stderr


def test_json_on_an_old_terminal_reads_as_what_it_was(known_store: str) -> None:
    args = ["sql", "SELECT '… ✓ é 😀 \"“' AS t", "--json", "--store", known_store]
    for encoding in ("cp1252", "ascii:strict"):
        done = printed(args, {"PYTHONIOENCODING": encoding})
        assert json.loads(done.stdout.decode("cp1252"))["t"] == '… ✓ é 😀 "“'


def printed(args: list[str], setting: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    left_out = ("PYTHONIO", "PYTHONUTF8", "LC_", "LANG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return subprocess.run([str(EVOLVE), *args], env={**kept, **setting}, capture_output=True, check=False)
