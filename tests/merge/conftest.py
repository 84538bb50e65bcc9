"""A real store on disk, filled by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from evolver.merge.job import RunSource
from evolver_store.connect import open_for_writing
from evolver_store.schema import instructions, row_id, runs

NOW = datetime(2026, 1, 1, tzinfo=UTC)

Planted = tuple[int, int, str, str | None]
"""Ordinal, epoch, instruction, response."""

Plant = Callable[..., RunSource]


@pytest.fixture(scope="session")
def plant() -> Iterator[Plant]:
    """Return ``plant(path, rows, run=1, status=None)``: store rows, seeds and survivors by their epoch.

    The parent of a row is the one before it of the same ordinal.
    """
    engines: dict[Path, Engine] = {}

    def plant_rows(
        path: Path, rows: Sequence[Planted], *, run: int = 1, status: str | None = None
    ) -> RunSource:
        engine = engines.get(path) or engines.setdefault(path, open_for_writing(path))
        with engine.begin() as conn:
            conn.execute(
                insert(runs).prefix_with("OR IGNORE"),
                [
                    {
                        "id": run,
                        "name": f"run{run}",
                        "status": "finished",
                        "settings": {},
                        "pool": "pool.json",
                        "pool_sha256": "",
                        "seeds": len(rows),
                        "epochs": 4,
                        "seed": 0,
                        "model": "script",
                        "evolver_version": "0",
                        "created_at": NOW,
                        "finished_at": NOW,
                    }
                ],
            )
            newest: dict[int, object] = {}
            for ordinal, epoch, instruction, response in rows:
                row = _row(run, ordinal, epoch, instruction, response, status)
                conn.execute(insert(instructions), row | {"parent_id": newest.get(ordinal)})
                newest[ordinal] = row["id"]
        return RunSource(engine, run, f"run{run}")

    yield plant_rows
    for engine in engines.values():
        engine.dispose()


def _row(
    run: int, ordinal: int, epoch: int, instruction: str, response: str | None, status: str | None
) -> dict[str, object]:
    return {
        "id": row_id(run, ordinal, epoch, min(epoch, 1)),
        "run_id": run,
        "root_id": row_id(run, ordinal),
        "parent_id": None,
        "epoch": epoch,
        "attempt": min(epoch, 1),
        "family": "depth" if epoch else "seed",
        "mutator": "deepen" if epoch else None,
        "status": status or ("survivor" if epoch else "seed"),
        "rule": None,
        "reason": None,
        "instruction": instruction,
        "response": response,
        "model": "script",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": None,
        "details": None,
        "created_at": NOW,
    }
