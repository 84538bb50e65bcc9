"""What a user installs: exactly the four packages, and a command that works from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
SOURCE_ROOTS = {
    "evolver": ROOT,
    "evolver_mutators": ROOT / "mutators",
    "evolver_offline": ROOT / "offline",
    "evolver_store": ROOT / "store",
    "evolver_templates": ROOT / "templates",
}
SHIPPED_KINDS = {".py", ".jinja", ".typed", ".sql", ".toml"}


def build(project: Path, kind: str, folder: Path) -> Path:
    """Build a wheel or an sdist with the backend that pyproject.toml names, without a network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    (built,) = folder.iterdir()
    return built


def package_files(wheel: Path) -> set[str]:
    """Name the wheel's files without those that describe it."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def tree_files() -> set[str]:
    """Name the files of the four packages as they lie in the checkout."""
    return {
        path.relative_to(root).as_posix()
        for package, root in SOURCE_ROOTS.items()
        for path in (root / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel to test: the one that EVOLVER_WHEEL names, as in a release, or one built here."""
    if named := os.environ.get("EVOLVER_WHEEL"):
        return Path(named)
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel beside this environment's packages, evolver's own excepted; return the new bin folder."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=os.name != "nt")
    python = home / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel],
        check=True,
        capture_output=True,
        text=True,
    )
    # A line in a .pth adds a folder without reading the .pth files in it, so the editable checkout stays out.
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder, with no variable that could lead it to the checkout."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONUTF8": "1"}
    return subprocess.run(
        [installed / "evolve", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_the_wheel_holds_every_file_of_the_four_packages_and_no_other(wheel: Path) -> None:
    assert package_files(wheel) == tree_files()


def test_the_packages_hold_code_templates_and_type_markers_only() -> None:
    strays = {name for name in tree_files() if Path(name).suffix not in SHIPPED_KINDS}

    assert strays == set()


def test_the_wheel_installs_four_names_and_nothing_generic(wheel: Path) -> None:
    assert {name.split("/")[0] for name in package_files(wheel)} == set(SOURCE_ROOTS)


@pytest.mark.parametrize("package", SOURCE_ROOTS)
def test_every_package_tells_type_checkers_that_it_is_typed(wheel: Path, package: str) -> None:
    assert f"{package}/py.typed" in package_files(wheel)


def test_the_wheel_carries_its_license(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        described = message_from_string(archive.read(metadata).decode("utf-8"))
        license_text = archive.read(metadata.replace("METADATA", "licenses/LICENSE")).decode("utf-8")

    assert described["License-Expression"] == "Apache-2.0"
    assert license_text == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in license_text


def test_the_sdist_holds_what_a_packager_needs_to_build_and_test(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert {"tests/packaging/test_wheel.py", "examples/seeds.json", "scripts/environment.sh"} <= names
    assert not {name for name in names if name.startswith((".venv", "demo/", "site/", "dist/", ".git/"))}


def test_a_wheel_built_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    again = build(project, "wheel", project / "built")

    with ZipFile(wheel) as first, ZipFile(again) as second:
        assert {one.filename: one.CRC for one in first.infolist()} == {
            one.filename: one.CRC for one in second.infolist()
        }


def test_the_installed_packages_do_not_come_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    names = ", ".join(SOURCE_ROOTS)
    found = subprocess.run(
        [installed / "python", "-c", f"import {names}\nfor one in ({names}): print(one.__file__)"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )

    assert all(Path(line).is_relative_to(installed.parent) for line in found.stdout.splitlines())


def test_the_installed_command_prints_its_help_and_its_version(installed: Path, tmp_path: Path) -> None:
    assert "--pool FILE" in run(installed, tmp_path, "--help").stdout
    assert run(installed, tmp_path, "--version").stdout == f"evolver {installed_version(installed)}\n"


def installed_version(installed: Path) -> str:
    """Read the version from the folder that describes the installation."""
    (described,) = installed.parent.glob("lib/python*/site-packages/evolver-*.dist-info")
    return described.name.removeprefix("evolver-").removesuffix(".dist-info")


def test_the_installed_command_finds_the_built_in_mutators(installed: Path, tmp_path: Path) -> None:
    listed = run(installed, tmp_path, "mutators").stdout

    assert "complicate_input" in listed
    assert "code_misdirection" in listed


def test_the_installed_command_evolves_a_pool_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    pool = [{"instruction": "Explain how a bicycle stays upright.", "output": "It steers into the fall."}]
    (tmp_path / "pool.json").write_text(json.dumps(pool), encoding="utf-8")

    run(installed, tmp_path, "--pool", "pool.json", "--epochs", "1")
    rows = [json.loads(line) for line in (tmp_path / "evolved.jsonl").read_text("utf-8").splitlines()]

    assert {"instruction": pool[0]["instruction"], "output": pool[0]["output"]} in rows
    assert (tmp_path / "evolve.db").is_file()
