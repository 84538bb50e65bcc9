"""Every test that SECURITY.md names is there, and every promise names one."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(test_\w+)`")


def test_every_test_that_the_page_names_is_there() -> None:
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(NAMED.findall(PAGE))
    assert len(named) > 30
    assert named - there == set()


def test_every_promise_of_the_table_names_a_test() -> None:
    table = PAGE[PAGE.index("| threat |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 10
    assert [line for line in table if not NAMED.search(line.split("|")[3])] == []
