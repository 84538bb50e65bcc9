"""What runs in a process of its own: ``python -m benchmarks.child TASK JSON``; prints its figures as JSON.

Figures count from the moment the first call could be made (imports, pool and clients are ready) to the end of the
last write, so that start-up, which a run pays once, does not hide what each call costs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.chains import MODEL
from benchmarks.measure import peak_mb

Ask = Callable[[dict[str, Any]], Awaitable[object]]
Close = Callable[[], Awaitable[None]]
_KEY = "sk-simulated"


@dataclass(slots=True)
class Clock:
    """Time and CPU time of this process since :meth:`start`."""

    wall: float = 0.0
    cpu: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Begin to count."""
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def stop(self) -> dict[str, float]:
        """Return seconds and CPU seconds since the start, and the peak memory in MB."""
        return {
            "wall_s": time.monotonic() - self.wall,
            "cpu_s": time.process_time() - self.cpu,
            "peak_mb": peak_mb(),
        }


def evolve(*, way: str, pool: str, store: str, base_url: str | None = None, **options: Any) -> dict[str, Any]:
    """Run evolver; ``way`` is openai, anthropic, langchain (its ChatOpenAI) or offline."""
    from evolver import Evolution
    from evolver.scheduler.events import AttemptEnded, CallEnded, Event, RunStarted

    clock = Clock()
    counts = {"attempts": 0, "calls": 0, "survivors": 0}

    def heard(event: Event) -> None:
        if isinstance(event, CallEnded):
            counts["calls"] += 1
        elif isinstance(event, AttemptEnded):
            counts["attempts"] += 1
            counts["survivors"] += event.status == "survivor"
        elif isinstance(event, RunStarted):
            clock.start()

    began = time.monotonic()
    model: object = {
        "openai": f"openai:{MODEL}",
        "anthropic": f"anthropic:{MODEL}",
        "offline": "offline",
    }.get(way)
    if way == "langchain":
        from evolver.models.langchain import LangChainModel

        model, base_url = LangChainModel(f"openai:{MODEL}", base_url=base_url), None
    evolution = Evolution(
        pool, model=model, on_event=heard, base_url=base_url, store=store, output=None, **options
    )
    evolution.run()
    figures = clock.stop()
    return {**figures, **counts, "started_s": clock.wall - began}


def bare(*, way: str, prompts: str, base_url: str, concurrency: int) -> dict[str, Any]:
    """Send every body of a file, so many at a time, and keep nothing: the least that a client can do.

    ``create`` and ``ainvoke`` are what most programs call; ``post`` is the SDK's method below ``create``, and its JSON
    is read; ``send`` makes one request and sends it again with each body, as evolver does.
    """
    bodies = [json.loads(line) for line in Path(prompts).read_text(encoding="utf-8").splitlines()]
    return asyncio.run(_ask_all(way, iter(bodies), base_url, concurrency))


async def _ask_all(
    way: str, bodies: Iterator[dict[str, Any]], base_url: str, concurrency: int
) -> dict[str, Any]:
    ask, close = _CLIENTS[way](base_url)
    asked = 0

    async def work() -> None:
        nonlocal asked
        for body in bodies:
            await ask(body)
            asked += 1

    clock = Clock()
    clock.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    figures = clock.stop()
    await close()
    return {**figures, "calls": asked}


def _openai_create(base_url: str) -> tuple[Ask, Close]:
    client, _ = _openai(base_url)

    async def ask(body: dict[str, Any]) -> object:
        return (await client.chat.completions.create(**body)).choices[0].message.content

    return ask, client.close


def _openai_post(base_url: str) -> tuple[Ask, Close]:
    client, _ = _openai(base_url)
    return _poster(client, "/chat/completions", _openai_text), client.close


def _openai_send(base_url: str) -> tuple[Ask, Close]:
    client, http = _openai(base_url)
    return _sender(client, http, "/chat/completions", _openai_text), client.close


def _openai_text(answer: Any) -> object:
    return answer["choices"][0]["message"]["content"]


def _openai(base_url: str) -> tuple[Any, Any]:
    import openai

    from evolver.models.sdk import limits

    http = openai.DefaultAioHttpClient(limits=limits())
    return openai.AsyncOpenAI(api_key=_KEY, base_url=base_url, max_retries=0, http_client=http), http


def _anthropic_post(base_url: str) -> tuple[Ask, Close]:
    client, _ = _anthropic(base_url)
    return _poster(client, "/v1/messages", _anthropic_text), client.close


def _anthropic_send(base_url: str) -> tuple[Ask, Close]:
    client, http = _anthropic(base_url)
    return _sender(client, http, "/v1/messages", _anthropic_text), client.close


def _anthropic_text(answer: Any) -> object:
    return answer["content"][0]["text"]


def _anthropic(base_url: str) -> tuple[Any, Any]:
    import anthropic

    from evolver.models.sdk import limits

    http = anthropic.DefaultAioHttpClient(limits=limits())
    return anthropic.AsyncAnthropic(api_key=_KEY, base_url=base_url, max_retries=0, http_client=http), http


def _poster(client: Any, path: str, read: Callable[[Any], object]) -> Ask:
    import httpx2

    async def ask(body: dict[str, Any]) -> object:
        response = await client.post(path, cast_to=httpx2.Response, body=_known(body, path))
        return read(json.loads(response.content))

    return ask


def _sender(client: Any, http: Any, path: str, read: Callable[[Any], object]) -> Ask:
    import httpx2

    from evolver.models.sdk import Pattern

    pattern: Pattern | None = None

    async def ask(body: dict[str, Any]) -> object:
        nonlocal pattern
        body = _known(body, path)
        if pattern is None:
            response = await client.post(path, cast_to=httpx2.Response, body=body)
            pattern = Pattern(response.request)
        else:
            response = await http.send(pattern.request(body))
        return read(json.loads(response.content))

    return ask


def _known(body: dict[str, Any], path: str) -> dict[str, Any]:
    """Leave out of a body for OpenAI what Anthropic does not know."""
    if path == "/v1/messages":
        return {name: value for name, value in body.items() if name != "frequency_penalty"}
    return body


def _langchain(base_url: str) -> tuple[Ask, Close]:
    from langchain_core.messages import HumanMessage

    chat = _chat_openai(base_url)

    async def ask(body: dict[str, Any]) -> object:
        return (await chat.ainvoke([HumanMessage(body["messages"][-1]["content"])])).content

    async def close() -> None:
        await chat.http_async_client.aclose()

    return ask, close


def _chat_openai(base_url: str) -> Any:
    from langchain_openai import ChatOpenAI
    from openai import DefaultAioHttpClient
    from pydantic import SecretStr

    from evolver.models.sdk import limits

    return ChatOpenAI(
        model=MODEL,
        base_url=base_url,
        api_key=SecretStr(_KEY),
        temperature=1.0,
        top_p=0.9,
        frequency_penalty=0.0,
        max_completion_tokens=2048,
        max_retries=0,
        http_async_client=DefaultAioHttpClient(limits=limits()),
    )


_CLIENTS: dict[str, Callable[[str], tuple[Ask, Close]]] = {
    "openai create": _openai_create,
    "openai post": _openai_post,
    "openai send": _openai_send,
    "anthropic post": _anthropic_post,
    "anthropic send": _anthropic_send,
    "langchain ainvoke": _langchain,
}
_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"evolve": evolve, "bare": bare}


def main() -> None:
    """Run the task that the command line names."""
    task, arguments = sys.argv[1:]
    print(json.dumps(_TASKS[task](**json.loads(arguments))))


if __name__ == "__main__":
    main()
