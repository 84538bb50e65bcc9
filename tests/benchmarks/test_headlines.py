"""The figures at the top of the page on performance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.headlines import headlines, write_headlines
from benchmarks.measure import ROOT

SECTIONS: dict[str, dict[str, Any]] = {
    "resume": {
        "load": [0.1, 0.2],
        "tables": [{"columns": ["start", "seconds"], "rows": [[1, 2.0], [2, 9.0], [3, 3.0]]}],
    }
}


def test_the_figures_take_the_place_between_the_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"), encoding="utf-8")
    before = page.read_text(encoding="utf-8")

    write_headlines(page, SECTIONS)
    write_headlines(page, SECTIONS)

    after = page.read_text(encoding="utf-8")
    assert "| 3.00 s | 0.1 to 0.2 |" in after
    assert after.split("<!-- figures")[0] == before.split("<!-- figures")[0]
    assert after.split("<!-- end of figures -->")[1] == before.split("<!-- end of figures -->")[1]


def test_a_page_without_a_place_for_the_figures_is_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing", encoding="utf-8")

    with pytest.raises(ValueError, match="no place for the figures"):
        write_headlines(page, SECTIONS)
    assert page.read_text(encoding="utf-8") == "# Nothing"


def test_what_was_not_measured_is_left_out() -> None:
    assert headlines({}).count("\n") == 1
