"""The Makefile: every target finds what it stands on in a fresh clone."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split()


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_what_to_do_for_each_target_where_no_environment_stands(
    target: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["make", "--dry-run", f"VENV={tmp_path / 'venv'}", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"make {target}" in MAKEFILE or target == "help"


def test_the_oldest_versions_are_installed_of_every_extra_by_its_name() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"--editable '\.\[(.*)\]'", (ROOT / "scripts" / "environment.sh").read_text("utf-8"))
    assert [each.split(",") for each in named] == [sorted(extras.keys() - {"all"})]
