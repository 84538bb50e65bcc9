"""What ``evolver`` promises to Python: the names, and that the documentation needs no others."""

from __future__ import annotations

import ast
import dataclasses
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import evolver
from evolver import errors, events

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def imports(code: str) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of everything that code takes out of evolver, ``evolver.name`` included."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "evolver":
            yield from ((str(node.module), one.name) for one in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                (one.name, "*")
                for one in node.names
                if one.name.startswith("evolver.") and one.asname is None
            )
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "evolver"
        ):
            yield "evolver", node.attr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_documentation_takes_public_names_alone(page: Path) -> None:
    taken = {one for code in CODE.findall(page.read_text("utf-8")) for one in imports(code)}
    assert taken <= {("evolver", name) for name in evolver.__all__}


def test_the_documentation_is_looked_at() -> None:
    taken = {one for page in PAGES for code in CODE.findall(page.read_text("utf-8")) for one in imports(code)}
    assert {("evolver", "Evolution"), ("evolver", "merge"), ("evolver", "Lineage")} <= taken


def test_every_public_name_is_there_and_listed_once() -> None:
    assert all(getattr(evolver, name) is not None for name in evolver.__all__)
    assert sorted(set(evolver.__all__)) == sorted(evolver.__all__) == dir(evolver)


def test_every_error_and_every_event_is_public() -> None:
    told = {kind.__name__ for kind in get_args(events.Event)}
    assert {*errors.__all__, *told, "Event"} <= {*evolver.__all__}
    assert all(getattr(evolver, name) is getattr(errors, name) for name in errors.__all__)


def test_the_table_of_events_names_each_with_its_fields_and_its_own_words() -> None:
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    for kind in get_args(events.Event):
        fields = ", ".join(f"`{one.name}`" for one in dataclasses.fields(kind))
        words = str(kind.__doc__).split("\n")[0].replace("``", "`")
        assert f"| `{kind.__name__}` | {words} | {fields} |\n" in page


@pytest.mark.parametrize(
    "code",
    [
        "import evolver; merge = evolver.merge",
        "from evolver import merge",
        "import evolver.merge.dataset; merge = evolver.merge",
        "from evolver.merge.dataset import merge as writer; from evolver import merge",
        "from evolver import merge; import evolver.merge.dataset; merge = evolver.merge",
        "from evolver import *",
    ],
)
def test_merge_is_the_function_whatever_was_imported_first(code: str, tmp_path: Path) -> None:
    """In a process of its own, since imports are remembered."""
    (tmp_path / "oss.jsonl").write_text('{"problem": "p", "solution": "s"}\n', "utf-8")
    code += (
        "\nimport inspect, evolver.merge.dataset as dataset"
        "\nassert callable(dataset.merge) and dataset.__name__ == 'evolver.merge.dataset'"
        "\nassert 'decontaminate' in inspect.signature(merge).parameters"
        "\nprint(merge('out.jsonl', oss='oss.jsonl').rows)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_the_names_are_loaded_when_they_are_used() -> None:
    heavy = {"evolver.evolution", "openai", "rich", "sqlalchemy"}
    code = f"import sys, evolver; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
