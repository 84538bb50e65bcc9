"""Runs told apart, interrupted, renamed, deleted and compared, on both databases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert, select, update

from evolver import Completion, Evolution, Request
from evolver.cli.main import main
from evolver.errors import RunBusyError, RunMissingError, SettingsError, StoreError
from evolver_store.claim import claimed
from evolver_store.connect import open_for_writing, reading, store_url
from evolver_store.schema import batches, calls, instructions, runs, scores
from tests.known_store import NOW
from tests.postgres_fixture import MakeStore


class Scripted:
    """Rewrites by adding a sentence; the judge finds every fifth equal."""

    name = "scripted/1"
    provider = "scripted"

    async def complete(self, request: Request) -> Completion:
        length = len(request.prompt)
        if request.purpose == "evolve":
            return Completion(f"Describe {length} rivers of the north and their bridges.", "stop", length, 7)
        text = (
            ("Equal" if length % 5 == 0 else "Not Equal") if request.purpose == "judge" else "A long answer."
        )
        return Completion(text, "stop", length, 3)


def evolve(*words: object, store: str, code: int = 0, **more: Any) -> Result:
    env = {"COLUMNS": "200", "NO_COLOR": "1"}
    result = CliRunner(env=env).invoke(
        main, [*map(str, words), "--store", store], catch_exceptions=False, **more
    )
    assert result.exit_code == code, result.output
    return result


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, make_store: MakeStore, tmp_path: Path) -> str:
    """Two runs over one pool: with the seed 0, and with the seed 7 and other weights over one seed less."""
    url = make_store(request.param)
    pool = tmp_path / "pool.json"
    pool.write_text(json.dumps([{"instruction": f"Name {'a' * n} river."} for n in range(5)]))
    given: dict[str, Any] = {
        "model": Scripted(),
        "store": url,
        "output": None,
        "confirm": True,
        "price_in": 1e6,
        "price_out": 1e6,
    }
    Evolution(pool, run="plain", epochs=2, **given).run()
    Evolution(pool, run="weighted", epochs=2, seed=7, limit=4, mutators="deepen=3,breadth", **given).run()
    return url


def count(store: str, table: Any) -> int:
    with reading(store) as engine, engine.connect() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar() or 0)


def test_runs_are_told_apart_by_the_settings_in_which_they_differ(store: str) -> None:
    head, plain, weighted = (line.split("\t") for line in evolve("runs", store=store).stdout.splitlines())
    assert head[-1] == "told apart by"
    assert "mutators breadth=1, deepen=3" in weighted[-1]
    assert ("seed 7" in weighted[-1], "seed 0" in plain[-1]) == (True, True)
    assert "limit 4" in weighted[-1]
    assert "temperature" not in head[-1] + plain[-1] + weighted[-1]  # the same in both
    first, second = lines(evolve("runs", "--json", store=store))
    assert second["settings"]["mutators"] == {"deepen": 3, "breadth": 1}
    assert (first["settings"]["seed"], second["settings"]["seed"]) == (0, 7)


def test_a_run_that_nobody_works_on_is_not_running(store: str) -> None:
    engine = open_for_writing(store)
    with engine.begin() as conn:
        conn.execute(update(runs).where(runs.c.name == "plain").values(status="running"))
    engine.dispose()
    assert lines(evolve("runs", "--json", store=store))[0]["status"] == "interrupted"
    assert lines(evolve("stats", "--run", "plain", "--json", store=store))[0]["status"] == "interrupted"
    with claimed(store_url(store), "plain"):
        assert lines(evolve("runs", "--json", store=store))[0]["status"] == "running"
        assert "Run plain: running" in evolve("stats", "--run", "plain", store=store).stdout
    assert lines(evolve("runs", "--json", store=store))[0]["status"] == "interrupted"


def test_a_killed_command_leaves_a_run_that_is_shown_as_interrupted(tmp_path: Path) -> None:
    pool = tmp_path / "pool.json"
    pool.write_text(
        json.dumps([{"instruction": f"Write a note of {n} words about rivers."} for n in range(3_000)])
    )
    url = str(tmp_path / "evolve.db")
    command = [
        sys.executable,
        "-c",
        "from evolver.cli.main import run; run()",
        "--pool",
        str(pool),
        "--store",
        url,
    ]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    try:
        while not (Path(url).exists() and _attempts(url)):
            assert process.poll() is None
        assert lines(evolve("runs", "--json", store=url))[0]["status"] == "running"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert lines(evolve("runs", "--json", store=url))[0]["status"] == "interrupted"


def _attempts(url: str) -> int:
    try:
        return count(url, instructions)
    except StoreError:
        return 0


def test_a_run_is_renamed_and_found_by_its_new_name(store: str) -> None:
    evolve("runs", "rename", "plain", "baseline", store=store)
    assert [run["name"] for run in lines(evolve("runs", "--json", store=store))] == ["baseline", "weighted"]
    assert lines(evolve("stats", "--run", "baseline", "--json", store=store))[0]["run"] == "baseline"
    with pytest.raises(StoreError, match="named 'weighted' already"):
        evolve("runs", "rename", "baseline", "weighted", store=store)
    with pytest.raises(RunMissingError):
        evolve("runs", "rename", "plain", "x", store=store)


def test_a_deleted_run_is_gone_and_what_it_paid_for_serves_others(store: str) -> None:
    paid = count(store, calls)
    evolve("runs", "delete", "plain", "--yes", store=store)
    (left,) = lines(evolve("runs", "--json", store=store))
    assert left["name"] == "weighted"
    assert count(store, instructions) == left["attempts"] + left["seeds"]
    assert count(store, calls) == paid
    evolve("runs", "delete", "weighted", "--calls", "--yes", store=store)
    assert count(store, runs) == count(store, instructions) == 0
    assert 0 < count(store, calls) < paid


def test_a_run_that_takes_the_place_of_a_deleted_one_has_paid_for_nothing_yet(
    store: str, tmp_path: Path
) -> None:
    evolve("runs", "delete", "weighted", "--yes", store=store)
    again = Evolution(
        tmp_path / "pool.json",
        run="again",
        epochs=2,
        seed=7,
        limit=4,
        mutators="deepen=3,breadth",
        model=Scripted(),
        store=store,
        output=None,
    ).run()
    assert (again.stats.calls, again.session.cached.calls > 0) == (0, True)


def test_scores_go_with_their_run(store: str) -> None:
    engine = open_for_writing(store)
    with engine.begin() as conn:
        first = conn.execute(select(func.min(instructions.c.id))).scalar()
        score = {
            "instruction_id": first,
            "name": "x",
            "value": 1.0,
            "model": "m",
            "version": "1",
            "created_at": NOW,
        }
        conn.execute(insert(scores), [score])
    engine.dispose()
    evolve("runs", "delete", "plain", "--yes", store=store)
    assert count(store, scores) == 0


def test_deleting_is_asked_about_and_a_no_deletes_nothing(store: str) -> None:
    before = count(store, instructions)
    with pytest.raises(
        SettingsError, match=r"5 seeds and 10 attempts; .* paid calls .*stay in the cache.*nothing was"
    ):
        evolve("runs", "delete", "plain", store=store)
    assert count(store, instructions) == before


def test_a_run_that_works_is_neither_renamed_nor_deleted(store: str) -> None:
    with claimed(store_url(store), "plain"):
        for words in (("rename", "plain", "x"), ("delete", "plain", "--yes")):
            with pytest.raises(RunBusyError):
                evolve("runs", *words, store=store)
    assert [run["name"] for run in lines(evolve("runs", "--json", store=store))] == ["plain", "weighted"]


def test_a_run_with_batches_in_flight_is_not_deleted_and_they_are_named(store: str) -> None:
    engine = open_for_writing(store)
    row = {column.name: None for column in batches.c} | {
        "key": "abc-1",
        "run_id": 1,
        "provider": "openai",
        "model": "m",
        "provider_id": "batch_77",
        "status": "submitted",
        "requests": 3,
        "succeeded": 0,
        "failed": 0,
        "created_at": NOW,
    }
    with engine.begin() as conn:
        conn.execute(insert(batches), [row])
    engine.dispose()
    before = count(store, instructions)
    with pytest.raises(StoreError, match=r"in flight \(batch_77\).*nothing was deleted"):
        evolve("runs", "delete", "plain", "--yes", store=store)
    assert count(store, instructions) == before


def test_a_store_that_is_not_there_is_not_made_by_managing_it(tmp_path: Path) -> None:
    for words in (("rename", "a", "b"), ("delete", "a", "--yes")):
        with pytest.raises(StoreError):
            evolve("runs", *words, store=str(tmp_path / "none.db"))
    assert os.listdir(tmp_path) == []


def test_compare_tells_settings_figures_and_what_became_of_the_same_seeds(store: str) -> None:
    (found,) = lines(evolve("compare", "plain", "weighted", "--pairs", 2, "--json", store=store))
    assert found["settings"]["seed"] == [0, 7]
    assert found["settings"]["limit"] == [None, 4]
    assert found["settings"]["mutators"][1] == {"deepen": 3, "breadth": 1}
    assert "temperature" not in found["settings"]
    stats = {
        run: lines(evolve("stats", "--run", run, "--json", store=store))[0] for run in ("plain", "weighted")
    }
    for side, run in (("first", "plain"), ("second", "weighted")):
        for name in ("attempts", "survivors", "eliminated", "failed"):
            assert found[side][name] == stats[run][name]
    overview = {run["name"]: run for run in lines(evolve("runs", "--json", store=store))}
    assert found["second"]["paid"]["calls"] == overview["weighted"]["calls"]
    shared = found["shared_seeds"]
    assert shared["seeds"] == 4
    assert (
        sum(shared[name] for name in ("evolved_in_both", "only_in_first", "only_in_second", "in_neither"))
        == 4
    )
    assert shared["second_survivors"] == stats["weighted"]["survivors"]
    assert len(found["pairs"]) == 2
    for pair in found["pairs"]:
        assert pair["first"]["name"].partition("/")[0] == pair["second"]["name"].partition("/")[0]
        assert pair["seed"].startswith("Name ")


def test_compare_draws_what_json_holds(store: str) -> None:
    drawn = evolve("compare", "plain", "weighted", store=store).stdout
    assert "\nseed\t0\t7\n" in drawn
    assert "\nattempts\t10\t8\n" in drawn
    assert "breadth=1, deepen=3" in drawn


def test_a_run_is_the_same_as_itself(store: str) -> None:
    (found,) = lines(evolve("compare", "plain", "plain", "--json", store=store))
    assert found["settings"] == {}
    assert found["first"] == found["second"]
    assert found["shared_seeds"]["only_in_first"] == found["shared_seeds"]["only_in_second"] == 0
    assert (
        "The settings of both runs are the same." in evolve("compare", "plain", "plain", store=store).stdout
    )
