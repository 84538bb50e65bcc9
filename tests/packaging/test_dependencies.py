"""What pyproject.toml declares is what the code imports: nothing missing, nothing carried along."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "evolver",
    "mutators/evolver_mutators",
    "offline/evolver_offline",
    "store/evolver_store",
    "templates/evolver_templates",
)
OURS = {package.rpartition("/")[2] for package in PACKAGES} | {"tests", "benchmarks", "scripts"}

# Functions whose first argument is the name of a module, where it is written out.
IMPORTERS = {"__import__", "import_module", "find_spec", "importorskip"}

# Where types are said to be, for type checkers alone.
NO_PACKAGE = {"_typeshed"}

# Measured beside evolver where somebody has installed them, each in an environment of its own.
OTHER_TOOLS = {"bespokelabs", "distilabel"}


def declared() -> dict[str, Any]:
    """Read pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def requirements() -> list[str]:
    """Name what a user installs, with every extra."""
    project = declared()["project"]
    return [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]


def names(wanted: Iterable[str]) -> set[str]:
    """Take the names from requirements such as ``openai[aiohttp]>=3``."""
    return {_normal(re.split(r"[^\w.-]", one, maxsplit=1)[0]) for one in wanted}


def imported(folders: Iterable[str]) -> dict[str, str]:
    """Map each distribution that code in folders imports to one file that does."""
    homes = packages_distributions()
    found: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for name in (
            _imports(ast.parse(path.read_text("utf-8"))) - sys.stdlib_module_names - OURS - NO_PACKAGE
        ):
            for home in set(homes.get(name, [name])):
                found.setdefault(_normal(home), str(path.relative_to(ROOT)))
    return found


def _imports(tree: ast.AST) -> set[str]:
    modules: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                modules += [alias.name for alias in node.names]
            case ast.ImportFrom(module=str(module)):
                modules.append(module)
            case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function), args=[first, *_]):
                if function in IMPORTERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    modules.append(first.value)
    return {module.split(".")[0] for module in modules}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_the_code_imports_is_declared_by_its_own_name() -> None:
    missing = {name: file for name, file in imported(PACKAGES).items() if name not in names(requirements())}

    assert missing == {}


def test_every_package_the_tests_and_measures_import_is_declared() -> None:
    groups = declared()["dependency-groups"]
    known = names([*requirements(), *groups["dev"], *groups["bench"], *groups["docs"]]) | OTHER_TOOLS

    missing = {
        name: file for name, file in imported(["tests", "benchmarks", "scripts"]).items() if name not in known
    }

    assert missing == {}


def test_every_declared_dependency_is_imported() -> None:
    assert names(declared()["project"]["dependencies"]) - set(imported(PACKAGES)) == set()


def test_every_requirement_says_the_oldest_version_that_will_do() -> None:
    groups = chain.from_iterable(declared()["dependency-groups"].values())

    unbounded = {
        one for one in [*requirements(), *groups] if ">=" not in one and not one.startswith("evolver[")
    }

    assert unbounded == set()


def test_the_template_engine_is_one_whose_sandbox_holds() -> None:
    """Older sandboxes could be left: CVE-2024-56326 up to 3.1.4, CVE-2025-27516 up to 3.1.5."""
    (bound,) = (one for one in requirements() if one.startswith("jinja2"))

    assert tuple(map(int, bound.partition(">=")[2].split("."))) >= (3, 1, 6)


@pytest.mark.parametrize("script", ["evolve"])
def test_the_command_is_declared_at_a_place_that_exists(script: str) -> None:
    module, _, function = declared()["project"]["scripts"][script].partition(":")

    assert callable(getattr(__import__(module, fromlist=[function]), function))
