"""A provider on a real socket that answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

Reply = Callable[[dict[str, Any]], "web.StreamResponse | Awaitable[web.StreamResponse]"]


@dataclass
class Provider:
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


Serve = Callable[[Reply], AbstractAsyncContextManager[Provider]]


@asynccontextmanager
async def _serve(reply: Reply) -> AsyncIterator[Provider]:
    provider = Provider()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        provider.asked.append(body)
        provider.headers.append({name.lower(): value for name, value in request.headers.items()})
        provider.paths.append(request.path)
        answer = reply(body)
        if isinstance(answer, web.StreamResponse):
            return answer
        return await answer

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()


@pytest.fixture
def serve() -> Serve:
    """``async with serve(reply) as provider``: ``reply`` makes the answer from the body of the request."""
    return _serve


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the keys that a test sets, and no address from outside."""
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
