"""The writer: what is written, in which order, how soon, and what happens when the disk says no."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from evolver.errors import StoreError
from evolver.facts.spending import paid_by
from evolver_store import writer as writer_module
from evolver_store.connect import open_for_writing, reading
from evolver_store.runs import calls_of, insert_run, texts_of
from evolver_store.schema import place, row_id
from evolver_store.writer import MAX_ROWS, Writer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(store_url: str) -> Any:
    engine = open_for_writing(store_url)
    with engine.begin() as conn:
        fields = {"name": "r", "settings": {}, "pool": "p", "pool_sha256": "x", "epochs": 4, "seed": 0}
        insert_run(conn, {**fields, "model": "m", "evolver_version": "0"})
    yield engine
    engine.dispose()


def attempt(
    ordinal: int, epoch: int = 0, *, parent: int | None = None, status: str = "seed"
) -> dict[str, Any]:
    return {
        "id": row_id(1, ordinal, epoch, int(epoch > 0)),
        "run_id": 1,
        "root_id": row_id(1, ordinal),
        "parent_id": parent,
        "epoch": epoch,
        "attempt": int(epoch > 0),
        "family": "seed",
        "mutator": None,
        "status": status,
        "rule": None,
        "reason": None,
        "instruction": f"text {ordinal}.{epoch}",
        "response": "表 <b>\r\n\t\"'\\ 🙂",
        "model": None,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "cost_usd": None,
        "details": {"format": "JSON", "note": "日本"},
        "created_at": NOW,
    }


def call(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "run_id": 1,
        "root_id": 1,
        "epoch": 1,
        "purpose": "answer",
        "provider": "p",
        "model": "m",
        "completion": "c",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost_usd": 0.5,
        "latency_s": 0.1,
        "created_at": NOW,
    }


def count(engine: Engine, table: str) -> int:
    with engine.connect() as conn:
        return int(conn.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar() or 0)


def test_everything_put_is_written_once_byte_for_byte(engine: Engine) -> None:
    writer = Writer(engine)
    for ordinal in range(3 * MAX_ROWS + 7):
        writer.put_instruction(attempt(ordinal))
        writer.put_call(call(f"{ordinal:032x}"))
    writer.put_instruction(attempt(0))  # a repeated write is the same row
    writer.close()
    assert count(engine, "instructions") == count(engine, "calls") == 3 * MAX_ROWS + 7
    with engine.connect() as conn:
        row = conn.execute(
            text("SELECT response FROM instructions WHERE id = :id"), {"id": row_id(1, 5)}
        ).one()
    assert row.response == attempt(5)["response"]


def test_a_child_may_follow_its_parent_in_the_same_batch(engine: Engine) -> None:
    writer = Writer(engine)
    writer.put_instruction(attempt(0))
    writer.put_instruction(attempt(0, 1, parent=row_id(1, 0), status="survivor"))
    writer.close()
    assert count(engine, "survivors") == 2


def test_an_orphan_is_refused_by_the_database_and_the_run_is_told(engine: Engine) -> None:
    writer = Writer(engine)
    writer.put_instruction(attempt(0, 1, parent=row_id(1, 77), status="survivor"))
    with pytest.raises(StoreError, match="a row cannot be stored"):
        writer.close()
    with pytest.raises(StoreError):
        writer.put_instruction(attempt(1))


@pytest.mark.parametrize(
    "broken",
    [
        {"instruction": "half \ud83d a sign"},
        {"prompt_tokens": 10**20},
        {"details": {"tags": {1, 2}}},
        {"created_at": "no time"},
        {"cost_usd": object()},
    ],
    ids=["surrogate", "number", "set", "time", "object"],
)
def test_whatever_ends_the_writer_is_told_and_the_other_rows_of_its_batch_are_written(
    engine: Engine, broken: dict[str, Any]
) -> None:
    writer = Writer(engine)
    for ordinal in range(40):
        writer.put_instruction(attempt(ordinal) | (broken if ordinal == 20 else {}))
    with pytest.raises(StoreError, match=r"a row cannot be stored .*the run stopped"):
        writer.close()
    with pytest.raises(StoreError, match="a row cannot be stored"):
        writer.put_call(call("00"))
    assert count(engine, "instructions") == 39


def test_somebody_who_waits_for_an_action_is_told_of_what_ended_the_writer(engine: Engine) -> None:
    writer = Writer(engine)

    def fail(conn: Any) -> None:
        raise SystemExit

    done = writer.put_action(fail)
    with pytest.raises(StoreError, match="SystemExit"):
        done.result(timeout=10)
    with pytest.raises(StoreError, match="SystemExit"):
        writer.close()


def test_a_listener_whose_loop_is_gone_does_not_keep_rows_from_being_written(engine: Engine) -> None:
    def gone() -> None:
        raise RuntimeError("Event loop is closed")

    writer = Writer(engine, on_commit=gone)
    for ordinal in range(3 * MAX_ROWS):
        writer.put_instruction(attempt(ordinal))
    writer.close()
    assert count(engine, "instructions") == 3 * MAX_ROWS


def test_what_is_put_can_be_had_at_once_and_after_it_is_committed(engine: Engine) -> None:
    committed = threading.Event()
    writer = Writer(engine, on_commit=committed.set)
    writer.put_instruction(attempt(3))
    writer.put_call(call("ab" * 16))
    id_ = row_id(1, 3)
    early = writer.text(id_)
    assert early in ("text 3.0", None)
    while writer.pending:
        assert committed.wait(timeout=10)
        committed.clear()
    assert writer.text(id_) is None
    assert writer.call("ab" * 16) is None
    with engine.connect() as conn:
        assert texts_of(conn, [id_]) == {id_: "text 3.0"}
        found = calls_of(conn, ["ab" * 16, "cd" * 16])
        assert {key: row["completion"] for key, row in found.items()} == {"ab" * 16: "c"}
    writer.close()


def test_a_transaction_holds_no_more_rows_than_it_may(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    insert = writer_module.insert_rows

    def counted(conn: Any, table: Any, rows: list[Any]) -> int:
        sizes.append(len(rows))
        return insert(conn, table, rows)

    monkeypatch.setattr(writer_module, "insert_rows", counted)
    writer = Writer(engine)
    for ordinal in range(1_000):
        writer.put_instruction(attempt(ordinal))
    writer.close()
    assert sum(sizes) == 1_000
    assert max(sizes) <= MAX_ROWS


def test_a_full_disk_is_one_sentence_and_keeps_what_was_written(tmp_path: Path) -> None:
    engine = open_for_writing(tmp_path / "e.db")
    with engine.begin() as conn:
        fields = {"name": "r", "settings": {}, "pool": "p", "pool_sha256": "x", "epochs": 4, "seed": 0}
        insert_run(conn, {**fields, "model": "m", "evolver_version": "0"})
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count=60")  # the pool hands this connection to the writer
    writer = Writer(engine)
    for ordinal in range(5_000):
        try:
            writer.put_instruction(attempt(ordinal))
        except StoreError:
            break
    with pytest.raises(StoreError, match="full") as told:
        writer.close()
    assert "\n" not in str(told.value)
    engine.dispose()
    with reading(tmp_path / "e.db") as reader:
        assert count(reader, "instructions") % MAX_ROWS == 0


def test_ids_are_the_stated_arithmetic_and_stay_exact_in_53_bits() -> None:
    assert row_id(1, 0) == 2**40
    assert row_id(3, 5, 7, 9) == 3 * 2**40 + 5 * 2**12 + 7 * 2**6 + 9
    assert place(row_id(8191, 2**28 - 1, 63, 63)) == (8191, 2**28 - 1, 63, 63)
    assert row_id(8191, 2**28 - 1, 63, 63) < 2**53


def test_a_call_that_was_paid_for_twice_is_kept_once_for_the_lineage_and_twice_for_the_money(
    engine: Engine,
) -> None:
    key = "ab" * 16
    first, second = call(key), call(key) | {"run_id": 2, "completion": "another", "cost_usd": 0.5}
    for _ in range(2):  # nobody knows whether a commit arrived, so it is written again
        writer = Writer(engine)
        writer.put_call(first)
        writer.put_call(second)
        writer.close()
    with engine.connect() as conn:
        assert calls_of(conn, [key])[key]["completion"] == first["completion"]
        assert (paid_by(conn, 1).calls, paid_by(conn, 2).calls) == (1, 1)
        assert paid_by(conn, 2).cost_usd == 0.5
