"""The table of batches, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, insert, inspect

from evolver.errors import BatchMissingError
from evolver_store import batches as store
from evolver_store import migrate as migrate_module
from evolver_store.connect import open_for_writing
from evolver_store.migrate import MIGRATIONS
from evolver_store.schema import batches, calls

ASKED = [store.Asked(f"{number:032x}", number, 1, "evolve") for number in range(3)]


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    engine = open_for_writing(store_url)
    yield engine
    engine.dispose()


def intend(engine: Engine, asked: list[store.Asked] = ASKED, run_id: int = 1) -> store.Batch:
    with engine.begin() as conn:
        return store.add_intent(
            conn, run_id=run_id, provider="openai", base_url="http://here/v1", model="openai:m", asked=asked
        )


def test_an_intent_is_open_and_names_its_requests_until_it_is_closed(engine: Engine) -> None:
    batch = intend(engine)
    with engine.begin() as conn:
        assert [each.key for each in store.open_batches(conn)] == [batch.key]
        assert store.asked_in(conn, batch.key) == ASKED
        store.set_submitted(conn, batch.key, "batch_1")
        store.close_batch(conn, batch.key, "ended", succeeded=2, failed=1)
        (closed,) = store.list_batches(conn)
        assert store.open_batches(conn) == []
        assert store.asked_in(conn, batch.key) == []
    assert (closed.status, closed.requests, closed.succeeded, closed.failed) == ("ended", 3, 2, 1)
    assert closed.created_at <= (closed.submitted_at or closed.created_at) <= datetime.now(UTC)


def test_the_same_requests_once_more_make_another_key(engine: Engine) -> None:
    first, second, other = intend(engine), intend(engine), intend(engine, ASKED[:2])

    assert second.key == first.key.removesuffix("-1") + "-2"
    assert other.key.endswith("-1")
    assert other.key != first.key


def test_requests_that_have_an_answer_are_not_asked_for_any_more(engine: Engine) -> None:
    batch = intend(engine)
    row = {
        "key": ASKED[1].key,
        "run_id": 1,
        "purpose": "evolve",
        "provider": "openai",
        "model": "openai:m",
        "completion": "text",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "latency_s": 1.0,
        "created_at": datetime.now(UTC),
    }
    with engine.begin() as conn:
        conn.execute(insert(calls), [row])
        assert store.asked_in(conn, batch.key) == [ASKED[0], ASKED[2]]


def test_only_a_batch_that_was_never_submitted_is_forgotten(engine: Engine) -> None:
    lost, sent = intend(engine), intend(engine)
    with engine.begin() as conn:
        store.set_submitted(conn, sent.key, "batch_1")
        store.drop_intent(conn, lost.key)
        store.drop_intent(conn, sent.key)
        assert [batch.key for batch in store.list_batches(conn)] == [sent.key]
        assert store.claimed_ids(conn) == {"batch_1"}


def test_a_batch_is_found_by_the_beginning_of_either_name(engine: Engine) -> None:
    one, two = intend(engine, ASKED[:1]), intend(engine, ASKED[:2])
    with engine.begin() as conn:
        store.set_submitted(conn, one.key, "batch_abc")
        store.set_submitted(conn, two.key, "batch_abcd")

        assert store.find_batch(conn, one.key[:6], "db").key == one.key
        assert store.find_batch(conn, "batch_abc", "db").key == one.key
        assert store.find_batch(conn, "batch_abcd", "db").key == two.key
        with pytest.raises(BatchMissingError, match="2 batches begin with 'batch_'"):
            store.find_batch(conn, "batch_", "db")
        with pytest.raises(BatchMissingError, match="no batch begins"):
            store.find_batch(conn, "", "db")


def test_open_batches_can_be_those_of_one_run(engine: Engine) -> None:
    mine = intend(engine)
    intend(engine, ASKED[:1], run_id=2)

    with engine.connect() as conn:
        assert [batch.key for batch in store.open_batches(conn, 1)] == [mine.key]
        assert len(store.open_batches(conn)) == 2


def test_a_store_of_the_first_schema_gets_the_table(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "MIGRATIONS", MIGRATIONS[:1])
        patch.setattr(migrate_module, "SCHEMA_VERSION", 1)
        open_for_writing(store_url).dispose()
    engine = open_for_writing(store_url)

    found = {column["name"] for column in inspect(engine).get_columns("batches")}
    assert found == {column.name for column in batches.columns}
    assert intend(engine).status == "intended"
    engine.dispose()
