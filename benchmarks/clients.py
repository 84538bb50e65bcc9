"""Ways to ask a provider with a bare client: send a body, read the text out of the answer, keep nothing.

``create`` and ``ainvoke`` are what most programs call; ``post`` is the SDK's method below ``create``, and its JSON is
read; ``send`` makes one request and sends it again with each body, as evolver does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.chains import MODEL

Ask = Callable[[dict[str, Any]], Awaitable[object]]
Close = Callable[[], Awaitable[None]]
_KEY = "sk-simulated"


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


CLIENTS: dict[str, Callable[[str], tuple[Ask, Close]]] = {
    "openai create": _openai_create,
    "openai post": _openai_post,
    "openai send": _openai_send,
    "anthropic post": _anthropic_post,
    "anthropic send": _anthropic_send,
    "langchain ainvoke": _langchain,
}
"""By the client and its method: what makes, from a base URL, the way to ask and the way to close."""
