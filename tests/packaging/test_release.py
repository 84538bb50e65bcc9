"""The script that stops a release whose tag, version and changelog differ."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def release(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as it stands in a project."""
    script = project / "scripts" / "release.py"
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project that is ready to be released: the script, a version, and what is said of it."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "release.py").write_text(
        (ROOT / "scripts" / "release.py").read_text("utf-8"), "utf-8"
    )
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n', encoding="utf-8")
    changelog = (
        "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2026-01-02\n\n- Faster.\n\n## [1.1.0]\n\n- Slower.\n"
    )
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    return tmp_path


def test_what_is_told_of_a_release_is_its_own_part_of_the_changelog(project: Path) -> None:
    assert release(project, "check", "v1.2.0").returncode == 0
    assert release(project, "notes", "v1.2.0").stdout == "- Faster.\n"


def test_a_tag_that_is_not_the_version_stops_the_release(project: Path) -> None:
    done = release(project, "check", "v1.1.0")

    assert done.returncode == 1
    assert done.stderr == "the tag says 1.1.0, pyproject.toml 1.2.0; nothing was released.\n"


def test_a_version_of_which_nothing_is_said_stops_the_release(project: Path) -> None:
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- Faster.\n", encoding="utf-8")

    assert release(project, "check", "v1.2.0").stderr.startswith("CHANGELOG.md has nothing under [1.2.0]")


def test_this_project_names_its_version_once() -> None:
    assert release(ROOT, "check", "v0.0.0").stderr.startswith(
        f"the tag says 0.0.0, pyproject.toml {VERSION};"
    )
