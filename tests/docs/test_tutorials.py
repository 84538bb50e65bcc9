"""The tutorials do what they show: each command and each cell, in order, in an empty folder."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.llmsim.process import SimServer
from scripts.terminal import run_in_terminal
from tests.docs.blocks import DOCS, Block, blocks, missing

EXAMPLES = DOCS.parent / "examples"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
SIMULATED = "http://127.0.0.1:8377"

pytestmark = pytest.mark.timeout(
    600
)  # many commands in a row, each a process; a crowded machine is no failure


@pytest.fixture(scope="module")
def sim() -> Iterator[SimServer]:
    with SimServer(style="offline") as server:
        yield server


@pytest.mark.parametrize("page", TUTORIALS, ids=[page.stem for page in TUTORIALS])
def test_every_step_of_a_tutorial_does_what_it_shows(page: Path, tmp_path: Path, sim: SimServer) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    exported, cells = "", []
    for block in blocks(page):
        if block.note.startswith("file: "):
            (tmp_path / block.note.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            cells.append(block)
        elif block.kind == "sh" and block.note != "not run":
            text = block.text.replace(SIMULATED, sim.url)
            status, said = run_in_terminal(exported + text, tmp_path)
            assert status == _status(block), said
            assert missing(block.shown, said) == [], said
            exported += "".join(re.findall(r"^export .*\n", text, re.MULTILINE))
    if cells:
        _run_cells(cells, tmp_path)


def _run_cells(cells: list[Block], folder: Path) -> None:
    """Run cells one after the other in one process, and hold each to what is shown behind it."""
    marked = "".join(f"{cell.text}\nprint({_mark(at)!r}, flush=True)\n" for at, cell in enumerate(cells))
    done = subprocess.run(
        [sys.executable, "-c", marked], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rest = done.stdout
    for at, cell in enumerate(cells):
        said, _, rest = rest.partition(f"{_mark(at)}\n")
        assert missing(cell.shown, said) == [], said


def _mark(at: int) -> str:
    return f"--- end of cell {at} ---"


def _status(block: Block) -> int:
    return int(block.note.removeprefix("exit: ")) if block.note.startswith("exit: ") else 0


def test_lines_that_are_not_said_or_not_in_that_order_are_found() -> None:
    said = "Run pool-1: 3 seeds.\nDataset of 7 rows."

    assert missing("Run …: 3 seeds.\nDataset", said) == []
    assert missing("Dataset\nRun", said) == ["Run"]
    assert missing("Run …: 4 seeds.", said) == ["Run …: 4 seeds."]
