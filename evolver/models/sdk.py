"""What the OpenAI and the Anthropic SDK share: one way to send a body and get the bytes of the answer back.

Measured on one core against a server in another process: ``create`` of the resource classes spends 1.3 to 1.5 ms CPU
a call (0.5 ms of it walking the type hints of the body), ``post`` of the same client 0.8 ms. So the
body is built here by hand and sent with ``post(..., cast_to=Response)``, the SDKs' documented way for
what they have no class for. Keys, headers, addresses, proxies and TLS stay the SDK's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx2

from evolver.models.failures import from_exception, malformed
from evolver.models.keys import public_url

if TYPE_CHECKING:
    import anthropic
    import openai

CONNECTIONS = 4096
"""Most connections of one client; above any sensible ``--concurrency``, so that only the slots limit."""

_SECONDS_TO_CONNECT = 15.0


def limits() -> httpx2.Limits:
    """Let every slot have its connection and keep it; aiohttp's own default stops at 100."""
    return httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)


def timeouts(seconds: float) -> httpx2.Timeout:
    """Time limits for the SDK; the whole call is limited by :meth:`Wire.post`, not by these."""
    return httpx2.Timeout(seconds, connect=min(seconds, _SECONDS_TO_CONNECT))


class Wire:
    """An SDK's client, the path it posts to, and the time limit of a call in seconds.

    ``status_error`` is the SDK's class for an HTTP answer that is an error and passes through untouched, because
    its codes mean different things to each provider; ``errors`` are the SDK's other errors.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI | anthropic.AsyncAnthropic,
        path: str,
        *,
        who: str,
        timeout: float,
        status_error: type[Exception],
        errors: type[Exception],
    ) -> None:
        self._client = client
        self._path = path
        self._who = who
        self._timeout = timeout
        self._status_error = status_error
        self._errors: tuple[type[Exception], ...] = (
            errors,
            aiohttp.ClientError,
            httpx2.HTTPError,
            TimeoutError,
            OSError,
        )
        self.url = public_url(str(client.base_url))

    async def post(self, body: Mapping[str, object]) -> dict[str, Any]:
        """Send ``body``, return the answer's JSON object.

        Raises:
            TransientModelError: No answer in time, no connection, or a body that is no JSON object.
            Exception: The SDK's ``status_error``, for the caller to read.
        """
        with self.failures():
            async with asyncio.timeout(self._timeout):
                response = await self._client.post(self._path, cast_to=httpx2.Response, body=body)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise malformed("a body that is not JSON", who=self._who) from error
        if not isinstance(answer, dict):
            raise malformed("JSON that is not an object", who=self._who)
        return answer

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what the SDK raises below HTTP into a transient error; its ``status_error`` passes."""
        try:
            yield
        except self._status_error:
            raise
        except self._errors as error:
            raise from_exception(error, who=self._who, url=self.url) from error

    async def aclose(self) -> None:
        """Close every connection; the client cannot be used again."""
        await self._client.close()


def mended(text: str) -> str:
    """Replace lone surrogates, which JSON can carry and neither UTF-8 nor a database can, by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def count(usage: object, field: str) -> int:
    """Read a token count; 0 where the provider gives none."""
    value = usage.get(field) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else 0
