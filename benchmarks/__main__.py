"""``python -m benchmarks [MEASURE…]``: measure, and write benchmarks/results.* and the figures of docs/performance.md.

Without names everything is measured that fits in ten minutes on two cores: all but the other tools, which take minutes
to be installed alone. ``--full`` takes those as well, and the large sizes. A measure replaces its own part
of the results and leaves the others as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.headlines import write_headlines
from benchmarks.machine import load_average, machine
from benchmarks.measure import ROOT
from benchmarks.plots import draw
from benchmarks.results import Section, save

MEASURES = {
    "overhead": "benchmarks.overhead",
    "scheduling": "benchmarks.scheduling",
    "engine": "benchmarks.engine",
    "datasets": "benchmarks.datasets",
    "resume": "benchmarks.resume",
    "peers": "benchmarks.peers.compare",
}


def main() -> None:
    """Measure what the command line names."""
    options = _options()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", file=sys.stderr, flush=True)

    with TemporaryDirectory(prefix="evolver-bench-", dir=options.folder) as folder:
        bench = Bench(options.full, options.repeats, Path(folder), say)
        for name in options.measures or _fitting(options.full):
            _measure(name, bench, options.results)
    known = json.loads((options.results / "results.json").read_text(encoding="utf-8"))
    drawn = draw(known, options.docs / "images")
    write_headlines(options.docs / "performance.md", known)
    say(
        f"written: {options.results / 'results.md'}, results.json{''.join(f', {path.name}' for path in drawn)}"
    )
    if not drawn:
        say("no plots: matplotlib is not installed (pip install --group bench)")


def _fitting(full: bool) -> list[str]:
    return [name for name in MEASURES if full or name != "peers"]


def _measure(name: str, bench: Bench, results: Path) -> None:
    measure: Callable[[Bench], Section] = import_module(MEASURES[name]).measure
    load, started = load_average(), time.monotonic()
    bench.say(f"{name} (load average {load:.1f})")
    section = measure(bench)
    about = {
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "load": [load, load_average()],
        "seconds": time.monotonic() - started,
        "full": bench.full,
    }
    save(results, section, about)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument(
        "measures", nargs="*", choices=[[], *MEASURES], metavar="MEASURE", help=", ".join(MEASURES)
    )
    parser.add_argument(
        "--full", action="store_true", help="other tools and the large sizes, too; takes an hour"
    )
    parser.add_argument("--repeats", type=int, default=3, help="rounds of what is repeated (default: 3)")
    parser.add_argument("--folder", help="where to work (default: the system's folder for temporary files)")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks", help="where results.md is kept")
    parser.add_argument(
        "--docs", type=Path, default=ROOT / "docs", help="where performance.md and its images are"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
