"""CPU per call at zero latency: evolver beside a bare loop over the same client, in turn."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bench import Bench
from benchmarks.chains import foresee
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import alternately, run_child, spread
from benchmarks.results import Cell, Section, Table

CONCURRENCY = 64
_CLIENTS = ("openai", "anthropic", "langchain")
_COLUMNS = ("client", "bare loop ms", "evolver ms", "on top ms", "evolver / bare", "spread of evolver's runs")
_TEXT = """\
CPU (user and system, all threads) per call in ms; {calls:,} calls, {concurrency} in flight, zero latency, \
the server in another process, {repeats} repeats in alternating order. The bare loop sends the same bodies \
through the same client, reads the text out of the answer and keeps nothing. Evolver renders templates, \
draws mutators, parses, applies every rule and commits every call and row to disk. Start-up and the making \
of the client are counted for neither."""


def measure(bench: Bench) -> Section:
    """Measure every client; ``openai`` also through ``chat.completions.create``, which most programs use."""
    seeds = 600 if bench.full else 160
    pool = bench.pool(seeds)
    bodies = [call.body for call in foresee(pool).calls()]
    prompts = bench.folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")
    rows: list[list[Cell]] = []
    measured: dict[str, dict[str, list[float]]] = {}
    with SimServer() as server:
        for client in _CLIENTS:
            url = server.anthropic_base_url if client == "anthropic" else server.openai_base_url
            ways = _ways(bench, client, url, pool, prompts)
            found = {
                name: [1000 * report["cpu_s"] / report["calls"] for report in reports]
                for name, reports in alternately(bench.repeats, ways).items()
            }
            measured[client] = found
            rows += _rows(client, found)
            bench.say(f"{client}: bare {rows[-1][1]:.2f} ms, evolver {rows[-1][2]:.2f} ms a call")
    text = _TEXT.format(calls=len(bodies), concurrency=CONCURRENCY, repeats=bench.repeats)
    table = Table("CPU per call", _COLUMNS, rows)
    return Section("overhead", "CPU per call", text, [table], measured=measured)


def _ways(
    bench: Bench, client: str, url: str, pool: Path, prompts: Path
) -> dict[str, Callable[[], dict[str, Any]]]:
    def evolve() -> dict[str, Any]:
        store = str(bench.store("overhead"))
        given = {
            "way": client,
            "pool": str(pool),
            "store": store,
            "base_url": url,
            "concurrency": CONCURRENCY,
        }
        return run_child("evolve", **given)

    def bare(way: str) -> dict[str, Any]:
        given = {"way": way, "prompts": str(prompts), "base_url": url, "concurrency": CONCURRENCY}
        return run_child("bare", **given)

    ways: dict[str, Callable[[], dict[str, Any]]] = {"bare": partial(bare, client), "evolver": evolve}
    if client == "openai":
        ways["create"] = partial(bare, "openai-create")
    return ways


def _rows(client: str, found: dict[str, list[float]]) -> list[list[Cell]]:
    evolver, own = median(found["evolver"]), found["evolver"]
    rows: list[list[Cell]] = []
    if "create" in found:
        create = median(found["create"])
        rows.append(
            [
                f"{client}, chat.completions.create",
                create,
                evolver,
                evolver - create,
                evolver / create,
                spread(own),
            ]
        )
    bare = median(found["bare"])
    return [*rows, [client, bare, evolver, evolver - bare, evolver / bare, spread(own)]]
