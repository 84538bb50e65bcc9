"""How long a server may take to be found: little until it was reached once, so that a dead one is told of at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from evolver.errors import TransientModelError
from evolver.models.openai import OpenAIModel
from evolver.models.protocol import Request, Sampling


def test_requests_to_a_server_that_was_never_reached_have_little_time_to_find_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody listens at port 9; what matters is how long each request would have waited for its connection."""
    given: list[float] = []
    send = httpx2.AsyncClient.send

    async def noted(self: Any, request: httpx2.Request, **options: Any) -> httpx2.Response:
        given.append(request.extensions["timeout"]["connect"])
        return await send(self, request, **options)

    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setattr(httpx2.AsyncClient, "send", noted)

    async def scene() -> None:
        model = OpenAIModel("m", base_url="http://127.0.0.1:9/v1", timeout=20)
        request = Request("answer", "Hello?", Sampling(), "1")
        for _ in range(2):
            with pytest.raises(TransientModelError, match="nothing listens"):
                await model.complete(request)
        await model.aclose()

    asyncio.run(scene())
    assert max(given[-2:]) <= 4.0  # before them, the SDK shows how it makes requests
