"""Completion: in real shells, of commands, of a run's options after plain ``evolve``, and of values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from evolver import Evolution
from evolver.cli.main import main

EVOLVE = Path(sys.executable).with_name("evolve")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("EVOLVE_")]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def offered(*words: str) -> list[str]:
    """What a shell is offered for the last word."""
    *before, last = words
    found = ShellComplete(main, {}, "evolve", "_EVOLVE_COMPLETE").get_completions(before, last)
    return [item.value if item.type == "plain" else item.type for item in found]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("st",), ["stats"]),
        (("--form",), ["--format"]),
        (("--pool", "x", "--ep"), ["--epochs"]),
        (("run", "--ep"), ["--epochs"]),
        (("--format", "m"), ["messages"]),
        (("merge", "--order", "s"), ["shuffle", "sequential"]),
        (("--mutators", "deepen,bread"), ["deepen,breadth"]),
        (("--mutators", "deepen,dee"), ["file"]),
        (("--mutators", "mine.py"), ["file"]),
        (("--preset", "wizardc"), ["wizardcoder"]),
        (("--skip-rules", "ref"), ["refusal"]),
        (("--model", "ope"), ["openai:"]),
        (("--judge-model", "anth"), ["anthropic:"]),
        (("--pool", "x"), ["file"]),
        (("--config", "x"), ["file"]),
        (("--max-cost", ""), []),
        (("sql", "--named", "deepest"), ["deepest-families"]),
        (("mutators", "--prompt", "deep"), ["deepen"]),
        (("completion", "z"), ["zsh"]),
    ],
)
def test_what_is_offered_for_a_word(words: tuple[str, ...], wanted: list[str]) -> None:
    assert offered(*words) == wanted


def test_runs_of_the_store_are_offered_and_a_server_is_not_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "pool.txt").write_text("Name a river.\n")
    Evolution("pool.txt", epochs=0, store="mine.db", run="first", output=None).run()
    assert offered("stats", "--store", "mine.db", "--run", "") == ["first"]
    assert offered("stats", "--run", "") == []
    assert offered("stats", "--store", "postgresql://127.0.0.1:9/x", "--run", "") == []
    (folder / "evolve.toml").write_text('store = "mine.db"\n')
    assert offered("--run", "fi") == ["first"]
    (folder / "evolve.toml").write_text('store = "../mine.db"\n')
    assert offered("--run", "fi") == []
    assert capsys.readouterr().err == ""


def test_bash_completes_with_what_the_command_prints() -> None:
    program = f"""
export PATH={EVOLVE.parent}:$PATH
eval "$(evolve completion bash)"
complete -p evolve
compopt() {{ :; }}
for words in "evolve --form" "evolve sql --named deepest" "evolve st"; do
    COMP_WORDS=($words) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=()
    _evolve_completion evolve
    echo "${{COMPREPLY[@]}}"
done
"""
    done = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, check=True)
    registered, *found = done.stdout.splitlines()
    assert registered.endswith("-F _evolve_completion evolve")
    assert found == ["--format", "deepest-families", "stats"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_completes_with_what_is_installed() -> None:
    environment = {**os.environ, "PATH": f"{EVOLVE.parent}:{os.environ['PATH']}"}
    subprocess.run([str(EVOLVE), "completion", "fish", "--install"], check=True, capture_output=True)
    done = subprocess.run(
        ["fish", "-c", 'complete -C "evolve --form"'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("--format\t")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_zsh_loads_what_is_installed() -> None:
    environment = {**os.environ, "PATH": f"{EVOLVE.parent}:{os.environ['PATH']}"}
    subprocess.run([str(EVOLVE), "completion", "zsh", "--install"], check=True, capture_output=True)
    done = subprocess.run(
        ["zsh", "-i", "-c", "print $_comps[evolve]"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "_evolve_completion"


@pytest.mark.parametrize(("shell", "rc"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_installing_twice_adds_one_line_and_leaves_the_rest(folder: Path, shell: str, rc: str) -> None:
    file = folder / "home" / rc
    file.write_text("alias ll=ls")
    for _ in range(2):
        assert CliRunner().invoke(main, ["completion", shell, "--install"]).exit_code == 0
    first, added = file.read_text().splitlines()
    assert first == "alias ll=ls"
    assert f"completion.{shell}" in added


def test_without_a_shell_that_is_known_it_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = CliRunner().invoke(main, ["completion"])
    assert done.exit_code == 2
    assert "bash, zsh, fish" in done.stderr
