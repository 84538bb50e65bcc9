"""``evolve mutators``, and the examples of docs/mutators.md."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from evolver.cli.mutators import command
from evolver.errors import PluginError
from evolver.plugins import installed, load_mutators
from scripts.terminal import run_in_terminal

DOCS = Path(__file__).parents[2] / "docs" / "mutators.md"
EXAMPLE = re.compile(r"<!-- test: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)\n```\n", re.DOTALL)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False, env={"COLUMNS": "100"})


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A folder with every example of the documentation as the file it is called there."""
    for example in EXAMPLE.finditer(DOCS.read_text(encoding="utf-8")):
        (tmp_path / example["name"]).write_text(example["text"] + "\n", encoding="utf-8")
    return tmp_path


def test_the_table_names_every_installed_mutator_within_80_columns(tmp_path: Path) -> None:
    status, shown = run_in_terminal("evolve mutators", tmp_path)

    assert status == 0
    assert [name for name in installed().mutators if f"\n{name} " not in shown] == []
    assert max(map(len, shown.splitlines())) <= 80


def test_a_pipe_gets_a_line_of_cells_for_each_mutator() -> None:
    lines = [line.split("\t") for line in run().stdout.splitlines()]

    assert lines[0] == ["name", "family", "from", "weight", "version", "what it does"]
    assert {line[0] for line in lines[1:]} == installed().mutators.keys()
    assert {len(line) for line in lines} == {6}


def test_json_gives_one_object_per_line_with_what_the_table_shows() -> None:
    records = [json.loads(line) for line in run("--json").stdout.splitlines()]

    assert {record["name"] for record in records} == installed().mutators.keys()
    assert records[0] == {
        "name": "add_constraints",
        "family": "depth",
        "presets": ["wizardlm"],
        "owner": "evolver_mutators (entry point wizardlm)",
        "weight": 1.0,
        "version": 1,
        "needs_call": True,
        "markers": ["rewritten prompt", "given prompt", "rewriter of prompts"],
        "description": "Adds one more constraint or requirement.",
    }


def test_a_preset_and_a_list_narrow_what_is_shown(examples: Path) -> None:
    by_preset = run("--preset", "wizardcoder", "--json").stdout.splitlines()
    by_list = run("--mutators", f"breadth=2,{examples}/mine.py:add_edge_cases", "--json").stdout.splitlines()

    assert len(by_preset) == 5
    assert [(one["name"], one["weight"], one["presets"]) for one in map(json.loads, by_list)] == [
        ("breadth", 2, ["wizardlm"]),
        ("add_edge_cases", 2, []),
    ]


def test_brackets_in_a_users_description_are_shown_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "b.jinja"
    path.write_text("---\ndescription: Asks [bold]twice[/bold].\n---\n{{ instruction }}", encoding="utf-8")

    result = CliRunner().invoke(
        command, ["--mutators", str(path)], catch_exceptions=False, env={"COLUMNS": "300"}
    )
    assert "Asks [bold]twice[/bold]." in result.stdout


def test_a_list_and_a_preset_together_are_wrong_usage() -> None:
    result = run("--preset", "wizardlm", "--mutators", "deepen")

    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_an_empty_list_is_an_error_and_not_everything() -> None:
    with pytest.raises(PluginError, match="empty place"):
        run("--mutators", "")


def test_the_prompt_shown_is_the_prompt_sent() -> None:
    (deepen,) = load_mutators(["deepen"])

    shown = run("--prompt", "deepen", "--instruction", "Explain [b]hash[/b] maps.").stdout
    assert shown == deepen.prompt("Explain [b]hash[/b] maps.", Random(0)).text + "\n"


def test_the_prompt_as_json_has_its_details() -> None:
    shown = json.loads(run("--prompt", "complicate_input", "--json").stdout)

    assert shown["mutator"] == "complicate_input"
    assert f"MUST contain {shown['details']['format']} data as its input" in shown["prompt"]


def test_a_mutator_without_a_call_shows_its_result(examples: Path) -> None:
    result = run("--mutators", f"{examples}/classes.py:Hurry", "--prompt", "hurry", "--instruction", "Sort.")

    assert re.fullmatch(r"Sort\.\nAnswer in at most \d\d words\.\n", result.stdout)
    assert "no call" in result.stderr


def test_a_mutator_that_is_not_listed_is_answered_with_the_one_that_was_meant() -> None:
    with pytest.raises(PluginError, match="Did you mean 'deepen'"):
        run("--prompt", "depen")


def test_the_documentation_names_every_installed_mutator() -> None:
    text = DOCS.read_text(encoding="utf-8")
    builtin = [one for one in installed().mutators.values() if one.owner.startswith("evolver_mutators ")]

    assert builtin
    assert [one.name for one in builtin if f"| `{one.name}` | {one.family} |" not in text] == []


def test_the_examples_of_the_documentation_work(examples: Path) -> None:
    names = (
        "mine.py:add_edge_cases",
        "mine.py:change_audience=0.5",
        "classes.py:Translate",
        "summarise.jinja=2",
    )
    edge, audience, translate, summary = load_mutators([f"{examples}/{name}" for name in names])

    assert (edge.weight, audience.weight, summary.weight, summary.family) == (2, 0.5, 2, "depth")
    assert edge.prompt("Sort.", Random(0)).text.endswith("must handle.\n\nSort.")
    for one in (audience, summary):  # their markers are phrases of their prompts
        assert any(one.markers[0] in one.prompt("Sort.", Random(seed)).text for seed in range(20))
    assert translate.prompt("Sort.", Random(0)).details["language"] in {"French", "Japanese", "Swahili"}
    assert translate.parse("Sure!\n---\nTrie.\n") == "Trie."


def test_the_plugin_package_is_imported_without_the_template_engine() -> None:
    code = "import sys, evolver.plugins; print({'jinja2', 'yaml', 'rich', 'langchain'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
