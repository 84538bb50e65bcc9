"""Providers from packages of their own, seen from the command line of a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECORD = """
from evolver.models.registry import Provider

def make(name, setup):
    from {package}.model import Echo
    return Echo(name, setup)

PROVIDER = Provider(
    prefix={prefix!r}, make=make, package="evolver-acme", price_id=None, {more}
    prices={{"small": (1.0, 2.0), "*": (10.0, 20.0)}},
)
"""
MODEL = """
from evolver.models.protocol import Completion

class Echo:
    def __init__(self, name, setup):
        self.name, self.provider = f"acme:{name}", "acme"

    async def complete(self, request):
        if request.purpose == "judge":
            return Completion("Not Equal", prompt_tokens=1000, completion_tokens=1000)
        return Completion(request.prompt[-40:] + " Once more?", prompt_tokens=1000, completion_tokens=1000)
"""


class Site:
    """A folder of installed packages, and the command run with it in sight."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, package: str, prefix: str, *, record: str | None = None, more: str = "") -> None:
        home = self.folder / package
        home.mkdir()
        text = RECORD.format(package=package, prefix=prefix, more=more) if record is None else record
        (home / "__init__.py").write_text(text, encoding="utf-8")
        (home / "model.py").write_text(MODEL, encoding="utf-8")
        described = self.folder / f"{package}-1.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", "utf-8"
        )
        points = f"[evolver.models]\n{prefix} = {package}:PROVIDER\n"
        (described / "entry_points.txt").write_text(points, encoding="utf-8")

    def evolve(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        given = filter(None, [os.environ.get("PYTHONPATH")])  # where a copy of the code is under test
        return subprocess.run(
            [sys.executable, "-c", "from evolver.cli.main import run; run()", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(self.folder), *given]), **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def run(self, model: str, *more: str, **variables: str) -> subprocess.CompletedProcess[str]:
        arguments = ("--pool", "pool.json", "--epochs", "1", "--model", model, "--yes", *more)
        return self.evolve(*arguments, **variables)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    pool = [{"instruction": "Name three uses of a brick.", "output": "A wall, a doorstop, a step."}]
    (tmp_path / "pool.json").write_text(json.dumps(pool), encoding="utf-8")
    return Site(tmp_path)


@pytest.mark.parametrize(("model", "dollars"), [("small", 0.003), ("large", 0.03)])
def test_a_provider_of_another_package_is_asked_by_its_prefix_and_priced_where_its_record_says(
    site: Site, model: str, dollars: float
) -> None:
    site.add("evolver_acme", "acme")

    done = site.run(f"acme:{model}", "--json")

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["calls"] > 0
    assert figures["cost_usd"] == pytest.approx(figures["calls"] * dollars)


def test_the_error_that_lists_providers_lists_it_and_guesses_it(site: Site) -> None:
    site.add("evolver_acme", "acme")

    done = site.run("acmee:small")

    assert done.returncode == 2
    assert "Did you mean 'acme:small'? A model is acme:NAME, anthropic:NAME, openai:NAME" in done.stderr


def test_two_owners_of_one_prefix_are_an_error_that_names_both(site: Site) -> None:
    site.add("evolver_acme", "acme")
    site.add("other_acme", "acme")

    done = site.run("acme:small")

    assert done.returncode == 1
    assert "evolver_acme (evolver_acme:PROVIDER)" in done.stderr
    assert "other_acme (other_acme:PROVIDER)" in done.stderr
    assert "nothing was sent" in done.stderr


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("PROVIDER = 42", "is a int and no evolver.models.registry.Provider"),
        ("from evolver.models.records import OPENAI as PROVIDER", "entry point and prefix must be one name"),
    ],
)
def test_a_broken_package_is_an_error_where_it_is_asked_for_and_told_of_where_providers_are_listed(
    site: Site, record: str, said: str
) -> None:
    site.add("evolver_acme", "acme", record=record)

    asked, listed, other = site.run("acme:small"), site.run("zzz:m"), site.run("offline")

    assert asked.returncode == 1
    assert said in asked.stderr
    assert "nothing was sent. Mend or uninstall that package." in asked.stderr
    assert "Traceback" not in asked.stderr + listed.stderr
    assert "\nBesides, " in listed.stderr
    assert said.partition(":")[0] in listed.stderr
    assert other.returncode == 0


def test_a_missing_key_is_said_before_the_package_makes_anything(site: Site) -> None:
    site.add("evolver_acme", "acme", more='key="ACME_API_KEY",')

    without, given = site.run("acme:small"), site.run("acme:small", ACME_API_KEY="k-12345678")

    assert without.returncode == 1
    assert "ACME_API_KEY is not set; nothing was sent" in without.stderr
    assert given.returncode == 0


def test_what_a_record_wants_said_is_said_at_the_beginning_and_in_the_card(site: Site) -> None:
    site.add("evolver_acme", "acme", more='notice="ACME echoes.", dataset_notice="**All echoes.**",')

    done = site.run("acme:small", "--format", "alpaca")
    merged = site.evolve("merge", "--store", "evolve.db", "--output", "folder/")

    assert "ACME echoes." in done.stderr
    assert merged.returncode == 0, merged.stderr
    assert "**All echoes.**" in (site.folder / "folder" / "README.md").read_text(encoding="utf-8")


def test_a_prefix_of_langchains_is_a_packages_own_where_one_registers_it(site: Site) -> None:
    site.add("evolver_groq", "groq")

    done = site.run("groq:small")

    assert done.returncode == 0, done.stderr
