"""What a run reads of its past before it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from evolver.calls.ledger import KnownKeys
from evolver_store.connect import open_for_writing
from evolver_store.runs import call_keys, ids_of, insert_run
from evolver_store.schema import calls, instructions, row_id
from evolver_store.writer import insert_rows

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_for_writing(store_url)
    with engine.begin() as conn:
        for name in ("first", "second"):
            fields: dict[str, Any] = {
                "name": name,
                "settings": {},
                "pool": "p",
                "pool_sha256": "x",
                "epochs": 4,
                "seed": 0,
            }
            insert_run(conn, {**fields, "model": "m", "evolver_version": "0"})
    yield engine
    engine.dispose()


def row(ordinal: int, epoch: int, status: str, run: int = 1) -> dict[str, Any]:
    id_ = row_id(run, ordinal, epoch, int(epoch > 0))
    nothing = dict.fromkeys(
        ("mutator", "rule", "reason", "instruction", "response", "model", "cost_usd", "details")
    )
    return {
        **nothing,
        "id": id_,
        "run_id": run,
        "root_id": row_id(run, ordinal),
        "parent_id": row_id(run, ordinal) if epoch else None,
        "epoch": epoch,
        "attempt": int(epoch > 0),
        "family": "depth",
        "status": status,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "created_at": NOW,
    }


def call(key: str, run: int = 1, cost: float | None = None) -> dict[str, Any]:
    return {
        "key": key,
        "run_id": run,
        "root_id": 1,
        "epoch": 1,
        "purpose": "answer",
        "provider": "p",
        "model": "m",
        "completion": "c",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost_usd": cost,
        "latency_s": 0.1,
        "created_at": NOW,
    }


def test_ids_come_by_status_and_epoch_of_one_run_alone(engine: Engine) -> None:
    rows = [row(0, 0, "seed"), row(7, 0, "seed"), row(0, 0, "seed", run=2)]
    tried = [row(0, 1, "survivor"), row(7, 1, "eliminated"), row(0, 2, "failed"), row(7, 2, "survivor")]
    with engine.begin() as conn:
        insert_rows(conn, instructions, rows)
        insert_rows(conn, instructions, tried)
        found = {(ids.status, ids.epoch): sorted(ids.ids) for ids in ids_of(conn, 1)}
    assert found == {
        ("seed", 0): [row_id(1, 0), row_id(1, 7)],
        ("survivor", 1): [row_id(1, 0, 1, 1)],
        ("survivor", 2): [row_id(1, 7, 2, 1)],
        ("eliminated", 1): [row_id(1, 7, 1, 1)],
        ("failed", 2): [row_id(1, 0, 2, 1)],
    }


def test_a_run_without_a_seed_has_no_ids(engine: Engine) -> None:
    with engine.connect() as conn:
        assert list(ids_of(conn, 2)) == []


def test_every_key_in_the_store_is_known_and_no_other(engine: Engine) -> None:
    rng = Random(5)
    edges = ["0" * 32, "f" * 32, *(f"{digit}{'0' * 31}" for digit in "123456789abcdef")]
    keys = [*edges, *(f"{rng.getrandbits(128):032x}" for _ in range(500))]
    with engine.begin() as conn:
        insert_rows(conn, calls, [call(key) for key in keys])
        known = KnownKeys(call_keys(conn))
    assert all(key in known for key in keys)
    assert not any(f"{rng.getrandbits(128):032x}" in known for _ in range(500))


def test_no_key_is_known_of_a_store_without_calls(engine: Engine) -> None:
    with engine.connect() as conn:
        known = KnownKeys(call_keys(conn))
    assert "0" * 32 not in known
