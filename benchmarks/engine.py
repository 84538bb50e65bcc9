"""The engine alone: the embedded model answers in the same process, so that nothing waits for a provider."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.measure import run_child
from benchmarks.results import Cell, Section, Table

_COLUMNS = (
    "seeds", "epochs", "attempts", "seconds", "attempts / s", "CPU ms / attempt", "peak MB", "database MB",
    "bytes / row",
)  # fmt: skip
_TEXT = """\
The embedded model on one core, from the first attempt to the last committed row; every attempt is up to \
three calls (evolve, judge, answer), written to SQLite with `synchronous=FULL`. Peak memory is the whole \
process, the interpreter and its imports included. The runs of one epoch show how memory grows with the pool \
alone."""


def sizes(full: bool) -> list[tuple[int, int]]:
    """Return (seeds, epochs) of each run."""
    if full:
        return [(5_200, 4), (52_002, 4), (5_200, 1), (52_002, 1), (520_020, 1)]
    return [(5_200, 4), (5_200, 1), (52_002, 1)]


def measure(bench: Bench) -> Section:
    """Measure every size."""
    rows: list[list[Cell]] = []
    for seeds, epochs in sizes(bench.full):
        store = bench.store("engine")
        report = run_child(
            "evolve",
            way="offline",
            pool=str(bench.pool(seeds)),
            store=str(store),
            epochs=epochs,
        )
        attempts, seconds = report["attempts"], report["wall_s"]
        size = _size(store)
        rows.append([
            seeds, epochs, attempts, seconds, attempts / seconds, 1000 * report["cpu_s"] / attempts, report["peak_mb"],
            size / 1e6, size / (seeds + attempts),
        ])  # fmt: skip
        bench.say(
            f"{seeds:,} x {epochs}: {attempts / seconds:.0f} attempts/s, peak {report['peak_mb']:.0f} MB"
        )
    bench.store("engine")
    table = Table("Attempts per second, memory and disk", _COLUMNS, rows)
    return Section("engine", "The engine alone", f"{_TEXT} {_growth(rows)}", [table])


def _growth(rows: list[list[Cell]]) -> str:
    """Compare the two largest pools of one epoch."""
    smaller, larger = [row for row in rows if row[1] == 1][-2:]
    seeds = int(str(larger[0])) - int(str(smaller[0]))
    memory = (float(str(larger[6])) - float(str(smaller[6]))) * 2**20 / seeds
    pace = float(str(larger[4])) / float(str(smaller[4]))
    return (
        f"From {smaller[0]:,} to {larger[0]:,} seeds, memory grew by {memory:.0f} bytes a seed "
        f"and the pace was {pace:.2f} of the smaller run's."
    )


def _size(store: Path) -> int:
    return sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*"))
