"""Runs in a notebook: a kernel of its own executes the cells, as it does for whoever opens one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
jupyter_client = pytest.importorskip("jupyter_client")

pytestmark = [
    pytest.mark.timeout(300),
    # jupyter_client and nbclient warn of their own doings
    pytest.mark.filterwarnings("default"),
]
_START = 120  # seconds for a kernel

CELLS = (
    """
from evolver import Evolution
rows = [{"instruction": f"Name {n} rivers.", "output": "Here."} for n in range(2, 8)]
result = Evolution(rows, epochs=2, store="n.db").run()
""",
    "result",
    "result.rows()",
    "(await Evolution(rows, epochs=3, store='n.db').arun()).stats.attempts",
    "evolution = Evolution(rows, epochs=4, store='n.db'); evolution.estimate()",
    "evolution.plan().mutators",
    "next(iter(evolution.plan().mutators))",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory of its own, and a kernel of this very interpreter."""
    kernel = tmp_path / "jupyter" / "kernels" / "here"
    kernel.mkdir(parents=True)
    command = f'["{sys.executable}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"]'
    (kernel / "kernel.json").write_text(
        f'{{"argv": {command}, "display_name": "here", "language": "python"}}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    return tmp_path


@pytest.fixture
def kernel(folder: Path) -> Iterator[Any]:
    """A client of a running kernel."""
    manager = jupyter_client.KernelManager(kernel_name="here")
    try:
        manager.start_kernel(cwd=str(folder))
        client = manager.blocking_client()
        client.start_channels()
        client.wait_for_ready(timeout=_START)
    except RuntimeError as error:
        manager.shutdown_kernel(now=True)
        pytest.skip(f"no kernel starts here: {error}")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def html_of(cell: Any) -> list[str]:
    return [one["data"]["text/html"] for one in cell.outputs if "text/html" in one.get("data", {})]


def test_a_notebook_shows_progress_and_tables_and_writes_no_dataset(folder: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    try:
        nbclient.NotebookClient(
            notebook,
            timeout=200,
            startup_timeout=_START,
            kernel_name="here",
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    except RuntimeError as error:
        pytest.skip(f"no kernel starts here: {error}")

    run, result, rows, again, estimate, mutators, mutator = notebook.cells
    [progress] = html_of(run)
    assert "epoch 1 <progress max=6 value=6></progress> 6/6" in progress
    assert "epoch 2 <progress max=6 value=6></progress> 6/6" in progress
    [table] = html_of(result)
    assert "<th>survivors</th>" in table
    assert "Lineage n.db." in table
    assert "Name 2 rivers." in html_of(rows)[0]
    assert "epoch 3 <progress max=6 value=6></progress> 6/6" in html_of(again)[0]
    assert again.outputs[-1]["data"]["text/plain"] == "18"
    assert "<th>completion tokens</th>" in html_of(estimate)[0]
    assert html_of(mutators)[0].count("<tr>") == 7
    assert html_of(mutator)[0].count("<tr>") == 2
    assert not [*folder.glob("*.jsonl")]


@pytest.mark.parametrize(
    ("answer", "said", "requests"),
    [("n", "EvolverError: not begun; nothing was sent", 0), ("y", "6 calls", 6)],
)
def test_a_notebook_is_asked_before_a_run_that_costs_money(
    answer: str, said: str, requests: int, kernel: Any, server: SimServer
) -> None:
    asked: list[str] = []
    told: list[str] = []

    def type_in(message: Any) -> None:
        asked.append(message["content"]["prompt"])
        kernel.input(answer)

    def hear(message: Any) -> None:
        content = message["content"]
        told.extend([*content.get("traceback", ()), content.get("text", ""), content.get("evalue", "")])
        told.append(f"{content.get('ename', '')}: {content.get('evalue', '')}")

    kernel.execute_interactive(
        "import builtins, threading\n"
        "from evolver import Evolution\n"
        "ask = builtins.input\n"
        "def input_here(prompt):\n"
        "    print('asked in', threading.current_thread().name)\n"
        "    return ask(prompt)\n"
        "builtins.input = input_here\n"
        f"run = Evolution(['Name a river.', 'Name a lake.'], epochs=1, model='openai:gpt-4.1-mini', "
        f"base_url={server.openai_base_url!r}, price_in=1, price_out=2, store='paid.db')\n"
        "print(run.run().stats.calls, 'calls')",
        allow_stdin=True,
        stdin_hook=type_in,
        output_hook=hear,
        timeout=200,
    )

    [question] = asked
    assert question.startswith("6 calls, ")
    assert question.endswith("at most. Begin? [y/N] ")
    assert "asked in MainThread" in "\n".join(told)  # some kernels answer no question of another thread
    assert said in "\n".join(told)
    assert server.stats()["requests"] == requests


def test_a_notebook_that_a_program_executes_spends_nothing_unasked(kernel: Any, server: SimServer) -> None:
    told: list[str] = []
    kernel.execute_interactive(
        "from evolver import Evolution\n"
        f"Evolution(['Name a river.'], epochs=1, model='openai:gpt-4.1-mini', "
        f"base_url={server.openai_base_url!r}, price_in=1, price_out=2, store='paid.db').run()",
        allow_stdin=False,
        output_hook=lambda message: told.append(message["content"].get("evalue", "")),
        timeout=200,
    )
    assert "there is nobody to ask; nothing was sent" in "".join(told)
    assert server.stats()["requests"] == 0
