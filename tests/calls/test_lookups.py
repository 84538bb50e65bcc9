"""Paid calls read back: many in one query, and those that another run pays for meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from evolver.calls.ledger import Ledger
from evolver.calls.lookups import Lookups, Peers
from evolver_store.connect import open_for_writing
from evolver_store.connect import store_url as parsed
from evolver_store.errors import StoreError
from evolver_store.schema import calls


def a_call(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "run_id": 1,
        "root_id": None,
        "epoch": None,
        "purpose": "answer",
        "provider": "openai",
        "model": "openai:m",
        "completion": f"answer to {key}",
        "finish_reason": "stop",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "cost_usd": 0.1,
        "latency_s": 0.1,
        "created_at": datetime.now(UTC),
    }


class Queries:
    """Answers every key but those that begin with ``f``; remembers each query."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def __call__(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        self.asked.append(list(keys))
        await asyncio.sleep(0)
        return {key: {"key": key} for key in keys if not key.startswith("f")}


def test_look_ups_of_one_moment_are_one_query() -> None:
    async def run() -> None:
        queries = Queries()
        lookups = Lookups(queries)
        keys = [f"{number:032x}" for number in range(64)]
        rows = await asyncio.gather(*map(lookups.find, keys), lookups.find(keys[0]), lookups.find("f" * 32))

        assert [row and row["key"] for row in rows] == [*keys, keys[0], None]
        assert len(queries.asked) == 1

    asyncio.run(run())


def test_no_query_asks_for_more_keys_than_a_database_binds() -> None:
    async def run() -> None:
        queries = Queries()
        lookups = Lookups(queries)
        await asyncio.gather(*(lookups.find(f"{number:032x}") for number in range(1_200)))

        assert [len(keys) for keys in queries.asked] == [500, 500, 200]

    asyncio.run(run())


def test_a_store_that_cannot_be_read_is_told_to_all_who_wait_and_the_next_asks_anew() -> None:
    async def run() -> None:
        fails = True

        async def read(keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
            if fails:
                raise StoreError("gone")
            return {key: {} for key in keys}

        lookups = Lookups(read)
        told = await asyncio.gather(lookups.find("a"), lookups.find("b"), return_exceptions=True)
        assert [type(each) for each in told] == [StoreError, StoreError]
        fails = False
        assert await lookups.find("a") == {}

    asyncio.run(run())


@pytest.mark.parametrize("shared", [True, False])
def test_a_call_that_another_run_pays_for_meanwhile_is_found_while_it_works(
    store_url: str, shared: bool
) -> None:
    engine = open_for_writing(parsed(store_url))

    async def run() -> Mapping[str, Any] | None:
        ledger = Ledger(engine, others=lambda: shared)
        await ledger.learn_calls()
        await asyncio.to_thread(_insert, engine, "ab" * 16)
        try:
            return await ledger.find("ab" * 16)
        finally:
            await ledger.aclose()

    found = asyncio.run(run())
    engine.dispose()
    assert (found is not None) == shared


def test_what_the_others_have_left_is_learnt_when_they_have_gone() -> None:
    async def run() -> None:
        here, learnt = True, 0

        async def ask() -> bool:
            return here

        async def left() -> None:
            nonlocal learnt
            learnt += 1

        peers = Peers(ask, left)
        await peers.look()
        assert (peers.here, learnt) == (True, 0)
        here = False
        await peers.look()
        assert (peers.here, learnt) == (False, 1)
        await peers.look()
        assert learnt == 1

    asyncio.run(run())


def _insert(engine: Engine, key: str) -> None:
    with engine.begin() as conn:
        conn.execute(calls.insert(), [a_call(key)])
