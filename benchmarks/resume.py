"""How soon a run that is nearly done goes on: from typing the command to the first request at the provider."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.chains import MODEL
from benchmarks.filled import PORT, RUN, SEEDS, filled_store
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE, Child
from benchmarks.results import Cell, Section, Table

_TEXT = """\
A run over {seeds:,} seeds and 4 epochs with 99% of its attempts in the store, and every call they made. The \
same `evolve` command is given again; the clock runs from the start of its process to the arrival of its \
first request at the server, so it counts the interpreter, the imports, the pool's digest, the estimate, \
every lineage's place and the keys of all paid calls. Then it is killed, and started again."""


def measure(bench: Bench) -> Section:
    """Start the command several times on one store."""
    rows: list[list[Cell]] = []
    store = filled_store(bench)
    with SimServer(hold=True, port=PORT) as server:
        command = _command(bench.pool(SEEDS), store, server.openai_base_url)
        for number in range(1, bench.repeats + 1):
            server.reset()
            began = time.monotonic()
            with Child(command, errors=bench.folder / "resume.log") as child:
                server.wait(requests=1, timeout=60)
                seconds = time.monotonic() - began
                rows.append([number, seconds, child.peak()])
            bench.say(f"first request after {seconds:.2f} s")
    table = Table("From the command to the first request", ("start", "seconds", "memory MB"), rows)
    return Section("resume", "Going on with a run that is 99% done", _TEXT.format(seeds=SEEDS), [table])


def _command(pool: Path, store: Path, base_url: str) -> list[str]:
    given = {
        "pool": pool,
        "store": store,
        "base-url": base_url,
        "model": f"openai:{MODEL}",
        "run": RUN,
        "epochs": 4,
    }
    options = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return [EVOLVE, *options, "--yes", "--quiet", "--output", str(store.with_name("resumed.jsonl"))]
