"""Evolver beside other tools: one pool, one server, one concurrency; calm, with faults, and killed on the way."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from benchmarks.bench import LOGNORMAL, Bench
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import Child, ChildFailedError, Usage
from benchmarks.peers.environments import PEERS, UnavailableError, environment, interpreter
from benchmarks.results import Cell, Section, Table
from benchmarks.scheduling import SEED, from_first_call

EPOCHS = 4
FAULTS: Mapping[str, float] = {
    "rate_500": 0.02, "rate_429": 0.05, "retry_after": 1.0, "rate_drop": 0.01, "rate_malformed": 0.01,
}  # fmt: skip
_KILL_AT = 0.6
_TEXT = """\
The same pool of {seeds} seeds, {epochs} epochs, the same simulated server (heavy-tailed latency, median \
0.12 s) and {slots} calls at a time, each tool in an environment of its own and set up as its documentation \
shows. The tools do not do the same work: evolver asks a judge about each rewrite (3 calls a row), the \
others do not (2), which is why time is given against the ideal for each tool's own calls (sum of latencies \
/ {slots}), from its first call to its last. Memory is that of all its processes. distilabel takes a batch \
of {slots} and sends all answers of a batch at once; curator has no Evol-Instruct of its own and gets one \
pass for each epoch and one for the answers. CPU is that of the whole process, its start included. *Rows* \
are pairs of an evolved instruction and its answer, neither of them empty, of {rows} that there should be. \
*Asked again* counts calls answered, and so paid, in two sessions beyond those of one undisturbed run, after \
`kill -9` at {kill:.0%} of them. {left_out}"""


@dataclass(frozen=True, slots=True)
class Tool:
    """How to start a tool; ``arguments`` come with the pool, the server's address and a folder of its own."""

    name: str
    command: tuple[str, ...]
    python: Path | None = None

    def start(self, given: dict[str, Any], folder: Path) -> Child:
        """Start it on ``given``; a second start in the same folder is a rerun of the same command."""
        env = {} if self.python is None else environment(self.python, folder)
        if self.python is None:
            given = {name: value for name, value in given.items() if name != "folder"}
            given |= {"way": "openai", "store": str(folder / "evolve.db")}
        return Child([*self.command, json.dumps(given)], env=env, errors=folder / "errors.log")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tool's run: what it took, how many rows came out, what the server saw; no usage if it did not end well."""

    usage: Usage | None
    rows: int | None
    stats: dict[str, Any]
    problem: str | None = None


def measure(bench: Bench) -> Section:
    """Put every tool that can be installed through the same three runs."""
    seeds, slots = _size(bench)
    tools, left_out = _tools(bench)
    calm_rows: list[list[Cell]] = []
    fault_rows: list[list[Cell]] = []
    curves = {}
    for tool in tools:
        calm = _run(bench, tool, {})
        curve = from_first_call(calm.stats["timeline"])
        curves[f"{seeds} x {EPOCHS}, {slots} slots: {tool.name}"] = curve
        calm_rows.append(_calm(tool, calm, curve, slots))
        bench.say(f"{tool.name}: {calm_rows[-1][4]} of the ideal, {calm_rows[-1][6]} ms CPU a call")
        faulty = _run(bench, tool, FAULTS)
        again = _killed(bench, tool, calm.stats["completed"])
        whole = seeds * EPOCHS
        fault_rows.append([
            tool.name, calm.rows, faulty.rows, None if faulty.rows is None else whole - faulty.rows,
            faulty.problem if faulty.usage is None else faulty.usage.wall_s, again,
        ])  # fmt: skip
        bench.say(
            f"{tool.name}: {faulty.rows} of {whole} rows with faults, {again} calls asked again after kill -9"
        )
    text = _TEXT.format(
        seeds=seeds, epochs=EPOCHS, slots=slots, rows=seeds * EPOCHS, kill=_KILL_AT, left_out=left_out
    )
    return Section(
        "peers", "Beside other tools", text, [_calm_table(calm_rows), _fault_table(fault_rows)], curves
    )


def _calm_table(rows: list[list[Cell]]) -> Table:
    columns = (
        "tool", "calls", "ideal s", "first to last call s", "of the ideal", "whole process s", "CPU ms / call",
        "peak MB", "most in flight",
    )  # fmt: skip
    return Table("Undisturbed", columns, rows)


def _fault_table(rows: list[list[Cell]]) -> Table:
    faults = "2% errors 500, 5% 429 with Retry-After 1, 1% broken connections, 1% malformed JSON"
    columns = (
        "tool",
        "rows, undisturbed",
        "rows with faults",
        "lost",
        "seconds with faults",
        "calls asked again after kill -9",
    )
    return Table(f"With faults ({faults}), and killed", columns, rows)


def _tools(bench: Bench) -> tuple[list[Tool], str]:
    tools = [Tool("evolver", (sys.executable, "-m", "benchmarks.child", "evolve"))]
    left_out = []
    for peer in PEERS:
        bench.say(f"{peer.name}: its environment, which takes a minute or two to make the first time")
        try:
            python = interpreter(peer)
        except UnavailableError as error:
            bench.say(str(error))
            left_out.append(f"{error}.")
            continue
        tools.append(Tool(peer.name, (str(python), str(peer.script)), python))
    return tools, " ".join(left_out)


def _given(bench: Bench, server: SimServer, folder: Path) -> dict[str, Any]:
    seeds, slots = _size(bench)
    return {
        "pool": str(bench.pool(seeds)),
        "base_url": server.openai_base_url,
        "epochs": EPOCHS,
        "concurrency": slots,
        "folder": str(folder / "work"),
    }


def _run(bench: Bench, tool: Tool, faults: Mapping[str, float]) -> Outcome:
    folder = Path(mkdtemp(dir=bench.folder))
    with SimServer(latency=LOGNORMAL, seed=SEED, **faults) as server:
        with tool.start(_given(bench, server, folder), folder) as child:
            try:
                usage = child.wait(timeout=_patience(bench))
            except (ChildFailedError, TimeoutError) as error:
                return Outcome(None, None, server.stats(), _told(bench, tool, error))
            report = child.report()
        return Outcome(usage, report.get("rows", report.get("survivors")), server.stats())


def _killed(bench: Bench, tool: Tool, calls: int) -> Cell:
    """Kill the tool on its way and run the same command again; return the calls answered beyond ``calls``."""
    folder = Path(mkdtemp(dir=bench.folder))
    with SimServer(latency=LOGNORMAL, seed=SEED) as server:
        given = _given(bench, server, folder)
        with tool.start(given, folder):
            server.wait(completed=int(calls * _KILL_AT), timeout=_patience(bench))
        with tool.start(given, folder) as child:
            try:
                child.wait(timeout=_patience(bench))
            except (ChildFailedError, TimeoutError) as error:
                return _told(bench, tool, error)
        return int(server.stats()["completed"]) - calls


def _calm(tool: Tool, outcome: Outcome, curve: list[tuple[float, float]], slots: int) -> list[Cell]:
    stats = outcome.stats
    ideal, span = stats["latency_sum_s"] / slots, curve[-1][0]
    used = outcome.usage
    return [
        tool.name, stats["completed"], ideal, span, span / ideal, None if used is None else used.wall_s,
        None if used is None else 1000 * used.cpu_s / stats["completed"], None if used is None else used.peak_mb,
        stats["max_in_flight"],
    ]  # fmt: skip


def _told(bench: Bench, tool: Tool, error: Exception) -> str:
    """Show why a run did not end well; return what the table says of it."""
    bench.say(f"{tool.name} did not end well: {str(error).strip().splitlines()[-1][:200]}")
    return (
        f"not done in {_patience(bench):.0f} s" if isinstance(error, TimeoutError) else "ended with an error"
    )


def _size(bench: Bench) -> tuple[int, int]:
    """Return how many seeds, and how many calls at a time."""
    return (500, 64) if bench.full else (128, 32)


def _patience(bench: Bench) -> float:
    return 300.0 if bench.full else 60.0
