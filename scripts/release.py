"""What a release needs from pyproject.toml and CHANGELOG.md: that they agree with the tag, and what to tell of it.

``release.py check v1.2.3`` stops where tag, version and changelog differ; ``release.py notes v1.2.3`` prints the
changelog's part about that version.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version() -> str:
    """Read the version that stands in pyproject.toml."""
    stated: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return stated


def notes(wanted: str, changelog: str) -> str:
    """Take what a changelog says of a version, without its heading; empty where it says nothing."""
    heading = rf"^## \[{re.escape(wanted)}\][^\n]*\n"
    found = re.search(rf"{heading}(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in {"check", "notes"}:
        print("usage: release.py check|notes TAG", file=sys.stderr)
        return 2
    tagged = sys.argv[2].removeprefix("v")
    said = notes(tagged, (ROOT / "CHANGELOG.md").read_text("utf-8"))
    if tagged != version():
        print(f"the tag says {tagged}, pyproject.toml {version()}; nothing was released.", file=sys.stderr)
        return 1
    if not said:
        print(f"CHANGELOG.md has nothing under [{tagged}]; nothing was released.", file=sys.stderr)
        return 1
    if sys.argv[1] == "notes":
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
