"""Evolve the example pool over 4 epochs with the embedded model, in demo/, and show what came of it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"
EVOLVE = Path(sys.executable).with_name("evolve")
LINES = 9  # of a text
WRITTEN = ("evolve.db", "evolve.db-wal", "evolve.db-shm", "evolved.jsonl")

# A short family with three children that lived and one that did not.
FAMILY = """
SELECT root_id AS id FROM instructions WHERE epoch > 0 GROUP BY root_id
ORDER BY ABS(SUM(CASE WHEN status = 'survivor' THEN 1 ELSE 0 END) - 3), MAX(LENGTH(instruction)), root_id LIMIT 1
"""


def evolve(*arguments: str, show: bool = True) -> str:
    """Run the command in demo/, free of the user's settings; return what it printed where it is not shown."""
    if show:
        print(f"\n$ {shlex.join(['evolve', *arguments])}", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVOLVE_")}
    done = subprocess.run(
        [EVOLVE, *arguments],
        cwd=DEMO,
        env=environment,
        stdout=None if show else subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def show_rows(count: int) -> None:
    """Print the first rows of the dataset, long texts shortened."""
    print(f"\nThe first {count} rows of demo/evolved.jsonl, shortened:")
    with (DEMO / "evolved.jsonl").open(encoding="utf-8") as rows:
        for row in map(json.loads, islice(rows, count)):
            print()
            for name, text in row.items():
                lines = [line[:96] + (" …" if len(line) > 96 else "") for line in text.splitlines()]
                more = ["…"] if len(lines) > LINES else []
                print(textwrap.indent("\n".join([f"{name}:", *lines[:LINES], *more]), "  "))


def main() -> None:
    DEMO.mkdir(exist_ok=True)
    for name in WRITTEN:
        (DEMO / name).unlink(missing_ok=True)
    print("$ cd demo")
    evolve("--pool", "../examples/seeds.json", "--epochs", "4", "--model", "offline")
    evolve("stats")
    family = json.loads(evolve("sql", FAMILY, "--json", show=False))
    evolve("lineage", str(family["id"]))
    show_rows(2)
    print(f"\nThe lineage is in demo/evolve.db, the dataset in demo/evolved.jsonl; {EVOLVE} is the command.")


if __name__ == "__main__":
    main()
