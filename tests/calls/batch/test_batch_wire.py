"""The batch APIs of both providers, one call at a time, against the simulated provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evolver.errors import UnknownBatchError
from evolver.models.batch.files import new_file
from evolver.models.batch.protocol import BatchApi, Sent
from evolver.models.factory import make_model
from evolver.models.protocol import Completion, Request, Sampling
from tests.calls.batch.conftest import SPECS

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])
KEYS = [f"k{number}" for number in range(3)]


async def submitted(api: BatchApi, batch: str, keys: list[str]) -> str:
    with new_file() as file:
        file.write(api.opening)
        for number, key in enumerate(keys):
            file.write(api.between if number else b"")
            file.write(api.line(key, Request("evolve", f"question {key}", Sampling(), "1.1")))
        file.write(api.closing)
        return await api.submit(batch, file)


def talk(runner: Any, provider: str, what: Callable[[BatchApi], Awaitable[None]]) -> None:
    async def session() -> None:
        model: Any = make_model(SPECS[provider], base_url=runner.base_url(provider))
        try:
            await what(model.batch_api())
        finally:
            await model.aclose()

    asyncio.run(session())


@BOTH
def test_a_batch_is_told_from_another_of_the_same_size(runner: Any, provider: str) -> None:
    async def what(api: BatchApi) -> None:
        now = datetime.now(UTC)
        other = await submitted(api, "other-1", ["a", "b", "c"])
        mine = Sent("mine-1", set(KEYS), len(KEYS), now)
        assert await api.find(mine, set()) is None
        id_ = await submitted(api, "mine-1", KEYS)
        assert await api.find(mine, set()) == id_ != other
        assert await api.find(mine, {id_}) is None
        assert await api.find(Sent("mine-1", set(KEYS), len(KEYS), now + timedelta(hours=1)), set()) is None

    talk(runner, provider, what)


@BOTH
def test_a_batch_is_told_from_another_that_asks_some_of_the_same(runner: Any, provider: str) -> None:
    async def what(api: BatchApi) -> None:
        now, keys = datetime.now(UTC), ["p", "q", "r"]
        await submitted(api, "other-2", ["p", "s", "t"])
        mine = Sent("mine-2", set(keys), len(keys), now)
        assert await api.find(mine, set()) is None
        id_ = await submitted(api, "mine-2", keys)
        await submitted(api, "other-3", ["p", "q", "u"])
        assert await api.find(mine, set()) == id_
        assert await api.find(Sent("mine-2", {"r"}, len(keys), now), set()) == id_

    talk(runner, provider, what)


@BOTH
def test_results_carry_the_key_of_each_request(runner: Any, provider: str) -> None:
    async def what(api: BatchApi) -> None:
        state = await api.look(await submitted(api, "mine-1", KEYS))
        results = {key: outcome async for key, outcome in api.results(state)}
        assert (state.status, state.succeeded, state.failed) == ("ended", 3, 0)
        assert sorted(results) == KEYS
        assert all(isinstance(outcome, Completion) and outcome.text for outcome in results.values())

    talk(runner, provider, what)


@BOTH
def test_a_batch_nobody_made_is_named_with_the_command_that_gives_it_up(runner: Any, provider: str) -> None:
    async def what(api: BatchApi) -> None:
        with pytest.raises(UnknownBatchError, match="evolve batches cancel batch_nobodys"):
            await api.look("batch_nobodys")

    talk(runner, provider, what)
