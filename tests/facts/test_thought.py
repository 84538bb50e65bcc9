"""The tokens of reasoning that a run paid for, by purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, insert, update

from evolver.facts.spending import thought_by_purpose
from evolver_store.connect import open_for_writing
from evolver_store.schema import calls


@pytest.fixture
def conn(known_store: str) -> Iterator[Connection]:
    """The known store, in which two calls of run 1 thought, and one of run 2."""
    engine = open_for_writing(known_store)
    with engine.connect() as conn:  # rolled back: other tests read the same store
        first = conn.execute(calls.select().where(calls.c.run_id == 1).order_by(calls.c.key)).first()
        assert first is not None
        conn.execute(update(calls).where(calls.c.purpose == "evolve").values(reasoning_tokens=7))
        conn.execute(
            insert(calls), [{**first._mapping, "key": "of another", "run_id": 2, "reasoning_tokens": 90}]
        )
        yield conn
    engine.dispose()


def test_tokens_of_reasoning_are_summed_by_purpose_of_the_run(conn: Connection) -> None:
    assert thought_by_purpose(conn, 1) == {"evolve": 14}


def test_where_nobody_thought_there_are_none(conn: Connection) -> None:
    conn.execute(update(calls).values(reasoning_tokens=None))

    assert thought_by_purpose(conn, 1) == {}
