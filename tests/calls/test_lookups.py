"""Paid calls read back: many in one query, and those that another run pays for meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from evolver.calls.lookups import Lookups
from evolver_store.errors import StoreError


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
