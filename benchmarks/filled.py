"""A store as a long run leaves it, made in seconds rather than in minutes.

The engine begins the run and stores its pool; then attempts and calls are written as the engine would have written
them, with texts as long as a run's, 92 in 100 attempts surviving and one text in ten nearly that of its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, Table

from benchmarks.bench import Bench
from benchmarks.chains import MODEL
from benchmarks.pools import in_other_words, prose
from evolver import Evolution
from evolver.errors import StoppedError
from evolver.events import Event, RunStarted
from evolver.plugins import load_mutators
from evolver_store.connect import open_for_writing
from evolver_store.runs import find_run, ids_of, texts_of
from evolver_store.schema import calls, instructions, place, row_id
from evolver_store.writer import insert_rows

SEEDS = 52_002
RUN = "filled"
EPOCHS = 4
_AT_ONCE = 5_000
_PURPOSES = ("evolve", "judge", "answer")
_SURVIVE = 0.92
_NEARLY_THE_SAME = 0.1
_UNFINISHED = 25  # the last epoch of every 25th lineage is 1% of all attempts

Row = dict[str, Any]


PORT = 48_211
"""Where the server of the run listens when it is gone on with: its address is among what the run was begun with."""


def filled_store(bench: Bench, *, seeds: int = SEEDS, port: int = PORT) -> Path:
    """Return a store with a run over so many seeds and 4 epochs that is 99% done; made once."""
    store = bench.folder / f"filled-{seeds}.db"
    if not store.exists():
        _fill(bench.pool(seeds), store, f"http://127.0.0.1:{port}/v1", bench.say)
    return store


def _fill(pool: Path, store: Path, base_url: str, say: Callable[[str], None]) -> None:
    options = {
        "epochs": EPOCHS,
        "run": RUN,
        "store": str(store),
        "base_url": base_url,
        "output": None,
    }
    _begin(pool, options)
    engine = open_for_writing(store)
    try:
        with engine.connect() as conn:
            run = find_run(conn, RUN)
            assert run is not None
            ids = iter(sorted(id_ for found in ids_of(conn, run.id) for id_ in found.ids))
            seeds: list[tuple[int, str]] = []
            while some := list(islice(ids, _AT_ONCE)):
                seeds += texts_of(conn, some).items()
        say(f"writing {len(seeds) * EPOCHS:,} attempts and three times as many calls")
        _write(engine, instructions, _attempts(seeds))
        _write(engine, calls, _calls([id_ for id_, _ in seeds]))
    finally:
        engine.dispose()


def _begin(pool: Path, options: dict[str, Any]) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, RunStarted):
            evolution.stop()

    evolution = Evolution(pool, model=f"openai:{MODEL}", on_event=stop, **options)
    try:
        evolution.run()
    except StoppedError:
        return
    raise RuntimeError("the run was to stop before its first call")


def _write(engine: Engine, table: Table, rows: Iterator[Row]) -> None:
    while some := list(islice(rows, _AT_ONCE)):
        with engine.begin() as conn:
            insert_rows(conn, table, some)


def _attempts(seeds: list[tuple[int, str]]) -> Iterator[Row]:
    rng = Random(0)
    mutators = [(mutator.family, mutator.name) for mutator in load_mutators((), preset="wizardlm")]
    for root_id, text in seeds:
        parent_id = root_id
        for epoch in range(1, EPOCHS + (not _unfinished(root_id))):
            survives = rng.random() < _SURVIVE
            row = _attempt(root_id, parent_id, epoch, _evolved(text, rng), rng)
            row["family"], row["mutator"] = rng.choice(mutators)
            yield row if survives else {**row, **_DEAD}
            if survives:
                parent_id, text = row["id"], row["instruction"]


_DEAD = {
    "status": "eliminated",
    "rule": "no_information_gain",
    "reason": "the judge says 'Equal'",
    "response": None,
    "details": {"judge": "equal", "judge_answer": "Equal"},
}


def _attempt(root_id: int, parent_id: int, epoch: int, text: str, rng: Random) -> Row:
    place_ = place(root_id)
    return {
        "id": row_id(place_.run, place_.ordinal, epoch, 1),
        "run_id": place_.run,
        "root_id": root_id,
        "parent_id": parent_id,
        "epoch": epoch,
        "attempt": 1,
        "status": "survivor",
        "rule": None,
        "reason": None,
        "instruction": text,
        "response": prose(rng.randint(90, 150), rng),
        "model": f"openai:{MODEL}",
        "prompt_tokens": 700,
        "completion_tokens": 220,
        "cost_usd": None,
        "details": {"judge": "not_equal", "judge_answer": "Not Equal"},
        "created_at": datetime.now(UTC),
    }


def _evolved(parent: str, rng: Random) -> str:
    share = 0.05 if rng.random() < _NEARLY_THE_SAME else 0.4
    return f"{in_other_words(parent, rng, share)} {prose(12, rng)}"


def _calls(roots: list[int]) -> Iterator[Row]:
    rng = Random(1)
    for root_id in roots:
        for epoch in range(1, EPOCHS + (not _unfinished(root_id))):
            for purpose in _PURPOSES:
                yield {
                    "key": f"{rng.getrandbits(128):032x}",
                    "run_id": place(root_id).run,
                    "root_id": root_id,
                    "epoch": epoch,
                    "purpose": purpose,
                    "provider": "openai",
                    "model": f"openai:{MODEL}",
                    "completion": "Not Equal" if purpose == "judge" else prose(rng.randint(90, 150), rng),
                    "finish_reason": "stop",
                    "prompt_tokens": 230,
                    "completion_tokens": 75,
                    "cost_usd": None,
                    "latency_s": 0.2,
                    "created_at": datetime.now(UTC),
                }


def _unfinished(root_id: int) -> bool:
    return place(root_id).ordinal % _UNFINISHED == 0
