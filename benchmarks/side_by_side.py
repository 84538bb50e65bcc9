"""Two runs over one store that need the same calls: how many are paid twice.

    python -m benchmarks.side_by_side [--write]

The same pool, settings and model under two names, 16 slots each, against the simulated provider, which counts what it
has answered: begun together, the second a while after the first, and with the first killed (SIGKILL) in the middle.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE
from benchmarks.page import as_table, write
from tests.postgres_fixture import execute, postgres_server

_SEEDS, _SLOTS, _LATENCY = 40, 16, "constant:0.05"
_HEAD = ("begun", "database", "calls", "paid twice", "in flight at the kill", "exits")
_LONGEST = 120


def begun(folder: Path, store: str, server: SimServer, name: str) -> subprocess.Popen[bytes]:
    """Start a run."""
    pool = folder / "pool.json"
    rows = [
        {"instruction": f"Explain to a beginner why the number {each} matters."} for each in range(_SEEDS)
    ]
    pool.write_text(json.dumps(rows), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("EVOLVE_")}
    return subprocess.Popen(
        [
            *(EVOLVE, "--pool", str(pool), "--epochs", "2", "--run", name, "--store", store),
            *("--model", "openai:gpt-4.1-mini", "--base-url", server.openai_base_url),
            *("--concurrency", str(_SLOTS), "--output", str(folder / f"{name}.jsonl"), "--yes", "--quiet"),
        ],
        env=environment | {"OPENAI_API_KEY": "k", "XDG_STATE_HOME": str(folder)},
        cwd=folder,
    )


def measure(database: str, store: str, after: float, *, kill: bool) -> tuple[object, ...]:
    """Run both; return a row of the table."""
    with (
        tempfile.TemporaryDirectory() as home,
        SimServer(style="offline", latency=_LATENCY) as server,
    ):
        folder = Path(home)
        first = begun(folder, store or str(folder / "e.db"), server, "first")
        if after:
            server.wait(requests=1)
            time.sleep(after)
        second = begun(folder, store or str(folder / "e.db"), server, "second")
        flying: object = ""
        if kill:
            server.wait(completed=60)
            first.send_signal(signal.SIGKILL)
            flying = f"at most {_SLOTS}"
        exits = f"{first.wait(_LONGEST)}, {second.wait(_LONGEST)}"
        asked = server.log()
    how = f"{after:g} s apart" if after else "together"
    how += ", the first killed" if kill else ""
    return how, database, len(set(asked)), len(asked) - len(set(asked)), flying, exits


def main() -> None:
    """Measure; the exit is 1 where anything was paid twice that was not in flight at a kill."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    rows = []
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        for number, (after, kill) in enumerate(((0.0, False), (0.5, False), (1.5, False), (0.0, True))):
            rows.append(measure("sqlite", "", after, kill=kill))
            execute(postgres, f"CREATE DATABASE side{number} STRATEGY FILE_COPY")
            store = postgres.replace("/postgres?", f"/side{number}?")
            rows.append(measure("postgresql", store, after, kill=kill))
            print(*rows[-2:], sep="\n", file=sys.stderr, flush=True)
    table = as_table(_HEAD, rows)
    print(table)
    if given.write:
        write("side by side", table)
    sys.exit(any(int(str(row[3])) > (_SLOTS if row[4] else 0) for row in rows))


if __name__ == "__main__":
    main()
