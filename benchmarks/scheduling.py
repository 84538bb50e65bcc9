"""How well the slots are used: a run against the best schedule of the very same latencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.bench import CONSTANT, LOGNORMAL, Bench
from benchmarks.chains import Run, foresee
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import run_child
from benchmarks.results import Cell, Section, Table
from benchmarks.schedule import ideal_seconds, list_schedule

EPOCHS = 4
SEED = 1
"""The server's: with 0, one call of 6,000 happens to take 15 s, and 500 lineages measure little but that."""

_COLUMNS = (
    "seeds",
    "latency",
    "slots",
    "calls",
    "ideal s",
    "wall s",
    "wall / ideal",
    "best schedule / ideal",
    "wall / best",
    "CPU s / wall s",
)
_TEXT = """\
A run of {epochs} epochs over the OpenAI SDK against the simulated provider. *Ideal* is the sum of all \
latencies over the number of slots; no schedule reaches it, because calls of one lineage wait for each \
other. *Best schedule* is a list schedule of the same latencies in the same chains, simulated without any \
overhead. *Wall* counts from the first call to the last committed row. Where CPU s / wall s comes near 1, \
the client's one core limits the run and not the schedule."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run to be measured."""

    seeds: int
    law: str
    slots: int


def cases(full: bool) -> list[Case]:
    """Return the runs that fit in some minutes, or all."""
    both = [(law, slots) for law in (CONSTANT, LOGNORMAL) for slots in (50, 128, 512)]
    small = [Case(500, law, slots) for law, slots in both]
    if not full:
        return [*small, Case(2000, LOGNORMAL, 128)]
    return [*small, Case(1000, LOGNORMAL, 64), *(Case(2000, law, slots) for law, slots in both)]


def measure(bench: Bench) -> Section:
    """Measure every case."""
    foreseen: dict[int, Run] = {}
    rows: list[list[Cell]] = []
    curves: dict[str, list[tuple[float, float]]] = {}
    for case in cases(bench.full):
        if case.seeds not in foreseen:
            foreseen[case.seeds] = foresee(bench.pool(case.seeds), epochs=EPOCHS)
        rows.append(_measured(bench, case, foreseen[case.seeds], curves))
        bench.say(
            f"{case.seeds} seeds, {case.law}, {case.slots} slots: {rows[-1][6]:.3f} (best {rows[-1][7]:.3f})"
        )
    table = Table("Wall time against the ideal and against the best schedule", _COLUMNS, rows)
    return Section("scheduling", "Scheduling", _TEXT.format(epochs=EPOCHS), [table], curves)


def _measured(bench: Bench, case: Case, run: Run, curves: dict[str, list[tuple[float, float]]]) -> list[Cell]:
    latencies = run.latencies(case.law, SEED)
    ideal = ideal_seconds(latencies, case.slots)
    best = list_schedule(latencies, case.slots)
    figures, stats = _run(bench, case)
    asked_as_foreseen = abs(stats["latency_sum_s"] - ideal * case.slots) < 0.01
    if stats["completed"] != len(run) or not asked_as_foreseen:
        raise RuntimeError(
            f"the run asked {stats['completed']} calls of {stats['latency_sum_s']:.2f} s in all, foreseen were "
            f"{len(run)} of {ideal * case.slots:.2f} s; the comparison would be void."
        )
    if case.law == LOGNORMAL:
        key = f"{case.seeds} x {EPOCHS}, {case.slots} slots"
        curves[f"{key}: evolver"] = from_first_call(stats["timeline"])
        curves[f"{key}: best schedule"] = thinned(best.in_flight)
    wall = figures["wall_s"]
    law = "constant" if case.law == CONSTANT else "heavy-tailed"
    share = figures["cpu_s"] / wall
    return [
        case.seeds, law, case.slots, len(run), ideal, wall, wall / ideal, best.seconds / ideal,
        wall / best.seconds, share,
    ]  # fmt: skip


def _run(bench: Bench, case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    with SimServer(latency=case.law, seed=SEED) as server:
        figures = run_child(
            "evolve",
            way="openai",
            pool=str(bench.pool(case.seeds)),
            store=str(bench.store("scheduling")),
            base_url=server.openai_base_url,
            epochs=EPOCHS,
            concurrency=case.slots,
        )
        return figures, server.stats()


def from_first_call(timeline: list[list[float]]) -> list[tuple[float, float]]:
    """Return the server's samples of calls in flight, with time counted from the first of them."""
    first = timeline[0][0]
    return thinned([(at - first, calls) for at, calls in timeline])


def thinned(curve: Sequence[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """Return the last value of each of at most ``most`` equal spans of time: enough for a plot."""
    span = (curve[-1][0] or 1.0) / most
    kept = {int(at / span): (round(at, 4), float(value)) for at, value in curve}
    return list(kept.values())
