"""What a run will ask, known before it asks, and the pools and stores that measures are made on."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from benchmarks.bench import LOGNORMAL, Bench
from benchmarks.chains import foresee
from benchmarks.child import evolve
from benchmarks.filled import RUN, filled_store
from benchmarks.llmsim.process import SimServer
from benchmarks.pools import pool_rows, write_pool


def make_bench(folder: Path) -> Bench:
    return Bench(full=False, repeats=1, folder=folder, say=lambda text: None)


def test_a_run_asks_the_server_exactly_what_was_foreseen(tmp_path: Path) -> None:
    pool = write_pool(tmp_path / "pool.json", 20)
    run = foresee(pool, epochs=2)

    with SimServer(latency="lognormal:0.002:1.0") as server:
        evolve(
            way="openai",
            pool=str(pool),
            store=str(tmp_path / "evolve.db"),
            base_url=server.openai_base_url,
            epochs=2,
        )
        stats = server.stats()

    latencies = run.latencies("lognormal:0.002:1.0")
    assert stats["completed"] == len(run) == sum(map(len, latencies)) == 20 * 2 * 3
    assert stats["latency_sum_s"] == pytest.approx(sum(map(sum, latencies)), abs=1e-5)


def test_a_foreseen_lineage_is_one_chain_in_the_order_it_is_asked(tmp_path: Path) -> None:
    run = foresee(write_pool(tmp_path / "pool.json", 3), epochs=2)

    first = [call.body["messages"][-1]["content"] for call in run.chains[0]]
    assert len(run.chains) == 3
    assert [("Judgement" in prompt.splitlines()[-1]) for prompt in first] == [False, True, False] * 2


def test_the_law_of_latency_has_the_median_that_it_says(tmp_path: Path) -> None:
    run = foresee(write_pool(tmp_path / "pool.json", 300), epochs=1)

    latencies = sorted(latency for chain in run.latencies(LOGNORMAL) for latency in chain)
    assert latencies[len(latencies) // 2] == pytest.approx(0.12, rel=0.1)


def test_a_made_pool_has_as_many_distinct_instructions_as_asked_for_and_is_the_same_every_time() -> None:
    rows = list(pool_rows(3_000))

    assert len({row["instruction"] + row["input"] for row in rows}) == 3_000
    assert rows == list(pool_rows(3_000))


def test_a_written_pool_is_a_json_list(tmp_path: Path) -> None:
    path = write_pool(tmp_path / "pool.json", 70)

    assert json.loads(path.read_text(encoding="utf-8")) == list(pool_rows(70))


def test_a_filled_store_is_99_percent_done_and_the_engine_goes_on_with_it(
    tmp_path: Path,
) -> None:
    bench = make_bench(tmp_path)
    with SimServer() as server:
        store = filled_store(bench, seeds=100, port=server.port)
        before = counts(store)

        report = evolve(
            way="openai",
            pool=str(bench.pool(100)),
            store=str(store),
            base_url=server.openai_base_url,
            run=RUN,
        )
        asked = server.stats()["completed"]

    assert before == {"seed": 100, "survivor": before["survivor"], "eliminated": 396 - before["survivor"]}
    assert report["attempts"] == 4
    assert asked == 12
    assert sum(counts(store).values()) == 500


def counts(store: Path) -> dict[str, int]:
    conn = sqlite3.connect(store)
    try:
        return dict(conn.execute("SELECT status, count(*) FROM instructions GROUP BY status"))
    finally:
        conn.close()
