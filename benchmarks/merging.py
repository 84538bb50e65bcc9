"""``python -m benchmarks.merging OLD``: the same merges by another checkout and by this one, side by side.

OLD is a checkout with its own ``.venv``. For each merge: seconds, CPU seconds and peak memory of both, and whether the
reports agree on every dropped row, with its reason, its other row, the benchmark's item, the method and the score.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.datasets import write_benchmark
from benchmarks.filled import SEEDS
from benchmarks.measure import EVOLVE, Child


def main() -> None:
    """Measure and print a line for each merge and checkout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merging", description=__doc__)
    parser.add_argument("old", type=Path, help="a checkout with a .venv of its own")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="size of the pool (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the store is made, and found again")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="evolver-merging-") as made:
        folder = options.folder or Path(made)
        store = _store(options.old, folder, options.seeds)
        benchmark = write_benchmark(folder / "benchmark.jsonl")
        evolve = {"old": str(options.old / ".venv" / "bin" / "evolve"), "new": EVOLVE}
        for cleaning in ([], ["--dedup", "near"], ["--decontaminate", str(benchmark)]):
            reports = {}
            for name, program in evolve.items():
                report = folder / f"{name}.json"
                output = ["--output", str(folder / f"{name}.jsonl"), "--report", str(report)]
                merge = [program, "merge", "--store", str(store), "--quiet", *output, *cleaning]
                with Child(merge) as child:
                    used = child.wait()
                reports[name] = _verdicts(report)
                print(
                    f"{' '.join(cleaning[:2]) or 'merge':<40} {name}: {used.wall_s:6.1f} s, CPU {used.cpu_s:6.1f} s, "
                    f"peak {used.peak_mb:4.0f} MB, {len(reports[name]):,} dropped",
                    flush=True,
                )
            print(f"{'':<40} verdicts equal: {reports['old'] == reports['new']}", flush=True)


_FILL = """
import sys
from pathlib import Path
from benchmarks.bench import Bench
from benchmarks.filled import filled_store
print(filled_store(Bench(True, 1, Path(sys.argv[1]), lambda text: None), seeds=int(sys.argv[2])))
"""


def _store(old: Path, folder: Path, seeds: int) -> Path:
    """Have the old checkout make the store: its schema is the one that both can read."""
    fill = [str(old.resolve() / ".venv" / "bin" / "python"), "-c", _FILL, str(folder.resolve()), str(seeds)]
    made = subprocess.run(fill, cwd=old, check=True, stdout=subprocess.PIPE, text=True)
    return Path(made.stdout.split()[-1])


def _verdicts(report: Path) -> list[Any]:
    said = json.loads(report.read_text(encoding="utf-8"))
    rows: list[Any] = [*said["dropped_rows"], *said["flagged_rows"]]
    return sorted(rows, key=lambda row: (row["id"], row["reason"]))


if __name__ == "__main__":
    main()
