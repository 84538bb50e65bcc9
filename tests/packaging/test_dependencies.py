"""What pyproject.toml declares is what the code imports: nothing missing, nothing carried along."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("evolver", "mutators/evolver_mutators", "store/evolver_store", "templates/evolver_templates")
OWN = {"evolver", "evolver_mutators", "evolver_store", "evolver_templates"}

# Imported under the name of a package that is declared to bring it.
BROUGHT_BY = {
    "aiohttp": "openai",
    "httpx": "huggingface-hub",
    "httpx2": "openai",
    "langchain-core": "langchain",
}


def declared() -> dict[str, Any]:
    """Read the [project] table."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def names(requirements: list[str]) -> set[str]:
    """Take the names from requirements such as ``openai[aiohttp]>=3``."""
    return {re.split(r"[^\w.-]", one, maxsplit=1)[0].lower().replace("_", "-") for one in requirements}


def imported() -> dict[str, str]:
    """Map each distribution the code imports to one file that does."""
    homes = packages_distributions()
    found: dict[str, str] = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in _imports(ast.parse(path.read_text("utf-8"))):
                if name not in sys.stdlib_module_names and name not in OWN:
                    (home,) = set(homes.get(name, [name]))
                    home = home.lower().replace("_", "-")
                    found.setdefault(BROUGHT_BY.get(home, home), str(path.relative_to(ROOT)))
    return found


def _imports(tree: ast.AST) -> set[str]:
    modules: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.append(node.module)
    return {module.split(".")[0] for module in modules}


def test_every_package_the_code_imports_is_declared() -> None:
    project = declared()
    optional = {name for extra in project["optional-dependencies"].values() for name in names(extra)}

    missing = {
        name: file
        for name, file in imported().items()
        if name not in names(project["dependencies"]) | optional
    }

    assert missing == {}


def test_every_declared_dependency_is_imported() -> None:
    assert names(declared()["dependencies"]) - set(imported()) == set()


@pytest.mark.parametrize("script", ["evolve"])
def test_the_command_is_declared_at_a_place_that_exists(script: str) -> None:
    module, _, function = declared()["scripts"][script].partition(":")

    assert callable(getattr(__import__(module, fromlist=[function]), function))
