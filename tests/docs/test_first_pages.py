"""Every command and every piece of Python of the README, the home page and the quickstart does what it shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.llmsim.process import SimServer
from scripts.terminal import run_in_terminal
from tests.docs.blocks import DOCS, README, blocks, missing

ROOT = DOCS.parent
PRICES = "--price-in 0.4 --price-out 1.6 --yes"
STAND_INS = {  # a server at another address has no known price, and here nobody answers the question about money
    "--model openai:gpt-4.1-mini": f"--model openai:gpt-4.1-mini {PRICES}",
    "--model anthropic:claude-haiku-4-5 --yes": f"--model anthropic:claude-haiku-4-5 {PRICES}",
    "http://localhost:11434": "$SIMULATED",
    "export OPENAI_API_KEY=…": "export OPENAI_API_KEY=sk-simulated",
    "export ANTHROPIC_API_KEY=…": "export ANTHROPIC_API_KEY=sk-simulated",
    "alpaca52k.json": "pool.json --store first.db",  # so that what follows is the first run of its store
}
ELSEWHERE = {  # what is tried in another place
    "make demo": ".github/workflows/ci.yml",
    "make test": ".ci/run",
    "pip install .": "tests/packaging/test_wheel.py",
}

pytestmark = pytest.mark.timeout(
    600
)  # many commands in a row, each a process; a crowded machine is no failure


@pytest.fixture(scope="module")
def sim() -> Iterator[SimServer]:
    with SimServer(style="offline") as server:
        yield server


@pytest.mark.parametrize(
    "page", [README, DOCS / "index.md", DOCS / "quickstart.md"], ids=lambda page: page.stem
)
def test_every_command_on_the_page_does_what_it_shows(page: Path, tmp_path: Path, sim: SimServer) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    rows = json.loads((ROOT / "examples" / "seeds.json").read_text(encoding="utf-8"))
    (tmp_path / "pool.json").write_text(json.dumps(rows[:8]), encoding="utf-8")  # its figures are not shown
    env = {
        "OPENAI_BASE_URL": sim.openai_base_url,
        "ANTHROPIC_BASE_URL": sim.anthropic_base_url,
        "SIMULATED": sim.url,
    }
    exported = ""
    for block in blocks(page):
        if block.kind != "sh":
            continue
        commands = "".join(f"{_stand_in(line)}\n" for line in block.text.splitlines() if not _elsewhere(line))
        status, said = run_in_terminal(exported + commands, tmp_path, env)
        assert status == 0, said
        assert missing(block.shown, said) == [], said
        exported += "".join(re.findall(r"^export .*\n", commands, re.MULTILINE))


def _elsewhere(line: str) -> bool:
    return any(line.startswith(command) for command in ELSEWHERE)


def _stand_in(line: str) -> str:
    for written, run in STAND_INS.items():
        line = line.replace(written, run)
    return line


def test_what_is_tried_elsewhere_is() -> None:
    for command, place in ELSEWHERE.items():
        word = command.split()[1] if command.startswith("make") else "install"
        assert word in (ROOT / place).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", [README, DOCS / "index.md", DOCS / "quickstart.md"], ids=lambda page: page.stem
)
def test_the_python_on_the_page_runs(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "examples" / "seeds.json", tmp_path / "pool.json")
    (code,) = [block.text for block in blocks(page) if block.kind == "python"]
    done = subprocess.run(
        [sys.executable, "-c", code.replace('model="openai:gpt-4.1-mini"', 'model="offline"')],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "edges.jsonl").stat().st_size > 0


def test_the_heat_table_of_the_home_page_is_that_of_the_run_above_it(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    page = (DOCS / "index.md").read_text(encoding="utf-8")
    status, said = run_in_terminal(
        "evolve --quiet --pool examples/seeds.json --epochs 4\n"
        "evolve sql --json 'SELECT epoch, mutator, attempts, survivors FROM epoch_summary WHERE epoch > 0'",
        tmp_path,
        columns=200,
    )
    assert status == 0, said
    found = re.findall(r'"epoch": (\d+), "mutator": "(\w+)", "attempts": (\d+), "survivors": (\d+)', said)
    made = {(mutator, int(epoch)): f"{lived} of {tried}" for epoch, mutator, tried, lived in found}

    shown = {}
    for mutator, cells in re.findall(r"<tr><th>(\w+)</th>(.*)</tr>", page):
        for epoch, (share, cell) in enumerate(re.findall(r'--share: ([\d.]+)">([^<]+)<', cells), start=1):
            shown[mutator, epoch] = cell
            lived, tried = map(int, cell.split(" of "))
            assert share == f"{lived / tried:.2f}"
    assert shown == made
