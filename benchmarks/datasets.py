"""What is done with a finished lineage: merge, near-duplicates, decontamination, figures, questions of descent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from random import Random

from benchmarks.bench import Bench
from benchmarks.filled import filled_store
from benchmarks.measure import EVOLVE, Child, Usage
from benchmarks.pools import in_other_words, pool_rows
from benchmarks.results import Cell, Section, Table

_COLUMNS = ("command", "seconds", "CPU s", "peak MB")
_BENCHMARK_ITEMS, _CONTAMINATED = 164, 20
_TEXT = """\
Whole commands as a user types them, start of the interpreter included, on a store of {rows:,} rows in \
`instructions` and {calls:,} in `calls` ({size:.0f} MB). The benchmark has {items} items, {planted} of which \
are seeds of the pool."""


def measure(bench: Bench) -> Section:
    """Measure every command on one store, smaller runs first."""
    store = filled_store(bench)
    benchmark = write_benchmark(bench.folder / "benchmark.jsonl")
    database = str(store)
    with sqlite3.connect(database) as conn:
        rows, member = conn.execute("SELECT count(*), max(id) FROM instructions").fetchone()
        calls = conn.execute("SELECT count(*) FROM calls").fetchone()[0]
    conn.close()
    output = str(bench.folder / "merged.jsonl")
    merge = ["merge", "--store", database, "--quiet", "--output"]
    both = [*merge, output, "--dedup", "near", "--decontaminate", str(benchmark)]
    commands: list[list[str]] = [
        [*merge, output],
        [*merge, str(bench.folder / "merged.parquet")],
        [*merge, output, "--dedup", "near"],
        [*merge, output, "--decontaminate", str(benchmark)],
        *([both] if bench.full else []),
        ["stats", "--store", database],
        ["runs", "--store", database],
        ["lineage", str(member), "--store", database],
        ["lineage", str(member), "--ancestors", "--store", database],
        ["sql", "--store", database, "--named", "deepest-families"],
        ["sql", "--store", database, "--named", "mutator-yield"],
        ["sql", "--store", database, "--named", "mutator-pairs"],
    ]
    table: list[list[Cell]] = []
    for command in commands:
        used = _run(command)
        table.append([_shown(command), used.wall_s, used.cpu_s, used.peak_mb])
        bench.say(f"{_shown(command)}: {used.wall_s:.2f} s, peak {used.peak_mb:.0f} MB")
    size = store.stat().st_size / 1e6
    text = _TEXT.format(rows=rows, calls=calls, size=size, items=_BENCHMARK_ITEMS, planted=_CONTAMINATED)
    return Section("datasets", f"After a run: {rows:,} rows", text, [Table("Commands", _COLUMNS, table)])


def _run(command: Sequence[str]) -> Usage:
    with Child([EVOLVE, *command]) as child:
        return child.wait()


def _shown(command: Sequence[str]) -> str:
    """Return the command as a reader would type it."""
    words = ["evolve"]
    for before, word in zip(["", *command], command, strict=False):
        if word in ("--store", "--quiet") or before == "--store":
            continue
        words.append(Path(word).name if word.startswith("/") else "ID" if word.isdecimal() else word)
    return f"`{' '.join(words)}`"


def write_benchmark(path: Path) -> Path:
    """Write a benchmark of other words than the pool's, but for the items that are seeds."""
    rng = Random(7)
    rows = list(pool_rows(_BENCHMARK_ITEMS + 2_000))[2_000:]
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            share = 0.0 if number < _CONTAMINATED else 1.0
            item = {
                "task_id": f"made/{number}",
                "prompt": in_other_words(row["instruction"], rng, share),
                "canonical_solution": in_other_words(row["output"], rng, 1.0),
            }
            file.write(json.dumps(item, ensure_ascii=False) + "\n")
    return path
