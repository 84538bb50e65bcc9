"""CPU per call at zero latency: evolver beside a bare loop over the same client, in turn."""

from __future__ import annotations

import json
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
_CLIENTS: dict[str, tuple[str, ...]] = {
    "openai": ("create", "post", "send"),
    "anthropic": ("post", "send"),
    "langchain": ("ainvoke",),
}
"""Clients, and how the bare loop calls them; the last is what evolver does."""

_COLUMNS = (
    "client", "bare loop", "bare loop ms", "evolver ms", "on top ms", "evolver / bare", "spread of evolver's runs",
)  # fmt: skip
_TEXT = """\
CPU (user and system, all threads) per call in ms; {calls:,} calls, {concurrency} in flight, zero latency, \
the server in another process, {repeats} repeats in alternating order. The bare loop sends the same bodies \
through the same client, reads the text out of the answer and keeps nothing; with `create` as most programs do, with \
`post`, the SDK's method below it, and with `send` as evolver does: one request, made by the SDK, sent again with each \
body. Evolver renders templates, \
draws mutators, parses, applies every rule and commits every call and row to disk. Start-up and the making \
of the client are counted for neither."""


def measure(bench: Bench) -> Section:
    """Measure every client with every bare loop."""
    seeds = 250 if bench.full else 120
    pool = bench.pool(seeds)
    bodies = [call.body for call in foresee(pool).calls()]
    prompts = bench.folder / "prompts.jsonl"
    prompts.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")
    rows: list[list[Cell]] = []
    measured: dict[str, dict[str, list[float]]] = {}
    with SimServer() as server:
        for client, bare in _CLIENTS.items():
            url = server.anthropic_base_url if client == "anthropic" else server.openai_base_url
            ways = {way: partial(_bare, f"{client} {way}", prompts, url) for way in bare}
            found = {
                way: [1000 * report["cpu_s"] / report["calls"] for report in reports]
                for way, reports in alternately(
                    bench.repeats, {**ways, "evolver": partial(_evolve, bench, client, pool, url)}
                ).items()
            }
            measured[client] = found
            rows += [_row(client, way, found) for way in bare]
            bench.say(f"{client}: bare {rows[-1][2]:.2f} ms, evolver {rows[-1][3]:.2f} ms a call")
    text = _TEXT.format(calls=len(bodies), concurrency=CONCURRENCY, repeats=bench.repeats)
    table = Table("CPU per call", _COLUMNS, rows)
    return Section("overhead", "CPU per call", text, [table], measured=measured)


def _evolve(bench: Bench, client: str, pool: Path, url: str) -> dict[str, Any]:
    store = str(bench.store("overhead"))
    return run_child("evolve", way=client, pool=str(pool), store=store, base_url=url, concurrency=CONCURRENCY)


def _bare(way: str, prompts: Path, url: str) -> dict[str, Any]:
    return run_child("bare", way=way, prompts=str(prompts), base_url=url, concurrency=CONCURRENCY)


def _row(client: str, way: str, found: dict[str, list[float]]) -> list[Cell]:
    evolver, bare = median(found["evolver"]), median(found[way])
    return [client, way, bare, evolver, evolver - bare, evolver / bare, spread(found["evolver"])]
