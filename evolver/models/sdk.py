"""What the OpenAI and the Anthropic SDK share: one way to send a body and get the bytes of the answer back.

Most of what ``post`` of their clients costs goes into making a request that differs from the last one in nothing but
its body. So the SDK makes one, by ``post(..., cast_to=Response)``, its documented way for what it has no class for, and
that is the pattern of all: keys, headers and addresses stay the SDK's, proxies and TLS those of the client it sends
with. What that saves stands in docs/performance.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx2

from evolver.answers.bounds import json_object, whole
from evolver.answers.clock import ProviderClock
from evolver.answers.failures import from_exception
from evolver.errors import ModelError
from evolver.quoting import public_url

if TYPE_CHECKING:
    import anthropic
    import openai

CONNECTIONS = 4096
"""Most connections of one client; above any sensible ``--concurrency``, so that only the slots limit."""

_SECONDS_TO_CONNECT = 15.0
_SECONDS_TO_REACH = 4.0
"""Likewise, until the server was reached once: an address where nobody is should be told of at once."""

_ABOUT_A_BODY = frozenset(b"content-length content-type content-encoding transfer-encoding accept".split())
_BELOW_HTTP = (aiohttp.ClientError, httpx2.HTTPError, httpx2.StreamError, TimeoutError, OSError)

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def limits() -> httpx2.Limits:
    """Let every slot have its connection and keep it; aiohttp's own default stops at 100."""
    return httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)


def timeouts(seconds: float) -> httpx2.Timeout:
    """Time limits for the SDK; the whole call is limited by :meth:`Wire.post`, not by these."""
    return httpx2.Timeout(seconds, connect=min(seconds, _SECONDS_TO_CONNECT))


def hurry(request: httpx2.Request) -> None:
    """Shorten the time that a request may take to find its server, for one that was never reached."""
    wait = request.extensions.get("timeout")
    if isinstance(wait, dict):
        connect = min(wait.get("connect") or _SECONDS_TO_REACH, _SECONDS_TO_REACH)
        request.extensions = {**request.extensions, "timeout": {**wait, "connect": connect}}


@dataclass(frozen=True, slots=True)
class Sdk:
    """An SDK: the classes of its client and of the client that one sends with, the path it posts to, what it raises.

    ``status`` is its class for an HTTP answer that is an error, and passes through untouched, because its codes mean
    different things to each provider; ``body_of`` takes what that class wants out of such an answer's JSON.
    ``others`` is the base class of the rest.
    """

    client: type[openai.AsyncOpenAI] | type[anthropic.AsyncAnthropic]
    http: Callable[..., httpx2.AsyncClient]
    path: str
    status: type[openai.APIStatusError] | type[anthropic.APIStatusError]
    body_of: Callable[[dict[str, Any]], object]
    others: type[Exception]

    def error(self, response: httpx2.Response, content: bytes) -> Exception:
        """Return what the SDK would raise for an answer that is an error."""
        text = content.decode("utf-8", "replace").strip()
        body: object = text
        with suppress(ValueError, RecursionError):
            body = json.loads(text)
        if isinstance(body, dict):
            body = self.body_of(body)
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _ABOUT_A_BODY]
        status, request = response.status_code, response.request
        read = httpx2.Response(status, headers=headers, content=content, request=request)
        return self.status(f"Error code: {status} - {text}", response=read, body=body)


class Wire:
    """An SDK's client for one account and address; ``timeout`` is the most seconds a call may take."""

    def __init__(self, sdk: Sdk, *, key: str, address: str | None, who: str, timeout: float) -> None:
        self._sdk = sdk
        self._http = sdk.http(limits=limits(), follow_redirects=False)
        self._client = sdk.client(
            api_key=key, base_url=address, timeout=timeouts(timeout), max_retries=0, http_client=self._http
        )
        self._pattern: Pattern | None = None
        self._learning = asyncio.Lock()
        self._reached = False
        self._who = who
        self._timeout = timeout
        self.clock = ProviderClock()
        self._base = str(self._client.base_url).rstrip("/")
        self.url = public_url(self._base)

    async def post(self, body: Mapping[str, object]) -> dict[str, Any]:
        """Send ``body``, return the answer's JSON object.

        Raises:
            TransientModelError: No answer in time, no connection, or a body that is no JSON object or too large.
            Exception: The SDK's error for an HTTP answer that is one, for the caller to read.
        """
        try:  # not with failures(), which costs more than this on the way of every call
            async with asyncio.timeout(self._timeout):
                pattern = self._pattern or await self._learnt()
                request = pattern.request(body)
                if not self._reached:
                    hurry(request)
                response = await self._sent(request)
                self._reached = True
                content = await self._content(response)
        except self._sdk.status:
            raise
        except (self._sdk.others, *_BELOW_HTTP) as error:
            raise self._passing_failure(error) from error
        return json_object(content, self._who)

    async def ask(self, method: str, path: str, **parts: Any) -> dict[str, Any]:
        """Send any other request of the same account, return the answer's JSON object.

        Args:
            method: Of HTTP.
            path: Below the base URL.
            parts: What ``httpx2`` builds a request from: ``params``, ``json``, ``files``, ``content``, ``headers``.

        Raises:
            TransientModelError: As :meth:`post`.
            Exception: As :meth:`post`.
        """
        async with self.reply(method, path, **parts) as response:
            content = await whole(response.aiter_bytes(), self._who)
        return json_object(content, self._who)

    @asynccontextmanager
    async def reply(self, method: str, path: str, **parts: Any) -> AsyncIterator[httpx2.Response]:
        """Send a request as :meth:`ask` does, and yield the answer before its body is read.

        Raises:
            TransientModelError: No connection, or one that breaks.
            Exception: The SDK's error for an HTTP answer that is one.
        """
        with self.failures():
            pattern = self._pattern or await self._learnt()
            headers = {**pattern.account(), **parts.pop("headers", {})}
            url = self._base + path
            wait = timeouts(self._timeout)
            request = self._http.build_request(method, url, headers=headers, timeout=wait, **parts)
            response = await self._sent(request)
            try:
                if not response.is_success:
                    await self._content(response)
                yield response
            finally:
                await response.aclose()

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; a redirect is an answer, for the next address is none that the user has named."""
        response = await self._http.send(request, stream=True, follow_redirects=False)
        self.clock.hear(response.headers)
        return response

    async def _content(self, response: httpx2.Response) -> bytes:
        """Read an answer within bounds; raise the SDK's error for one that is an error."""
        try:
            content = await whole(_decoded(response), self._who)
        finally:
            await response.aclose()
        if not response.is_success:
            raise self._sdk.error(response, content)
        return content

    async def _learnt(self) -> Pattern:
        """Let the SDK send a request that goes nowhere, to see how it makes them."""
        async with self._learning:
            if self._pattern is None:
                nowhere = httpx2.MockTransport(lambda request: httpx2.Response(200))
                async with httpx2.AsyncClient(transport=nowhere) as http:
                    client = self._client.with_options(http_client=http)
                    response = await client.post(self._sdk.path, cast_to=httpx2.Response, body={})
                self._pattern = Pattern(response.request)
            return self._pattern

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Turn what the SDK raises below HTTP into a transient error; its error for an HTTP answer passes."""
        try:
            yield
        except self._sdk.status:
            raise
        except (self._sdk.others, *_BELOW_HTTP) as error:
            raise self._passing_failure(error) from error

    def _passing_failure(self, error: Exception) -> ModelError:
        return from_exception(error, who=self._who, url=self.url)

    async def aclose(self) -> None:
        """Close every connection; the client cannot be used again."""
        await self._client.close()


def _decoded(response: httpx2.Response) -> AsyncIterator[bytes]:
    """An answer's bytes, uncompressed; without the client's decoders where there is nothing to decode."""
    stream = response.stream
    if "content-encoding" in response.headers or not isinstance(stream, httpx2.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(stream)


class Pattern:
    """A request as the SDK makes it, to be made again with other bodies."""

    def __init__(self, example: httpx2.Request) -> None:
        self._method = example.method
        self._url = example.url
        self._headers = [pair for pair in example.headers.raw if pair[0].lower() != b"content-length"]
        self._encoding = example.headers.encoding
        self._extensions = example.extensions

    def request(self, body: Mapping[str, object]) -> httpx2.Request:
        """Return it with ``body``, ready to be sent."""
        content = encode(body).encode()
        made = httpx2.Request(
            self._method,
            self._url,
            headers=[*self._headers, (b"Content-Length", b"%d" % len(content))],
            # Given as content=, all headers would be looked through once more.
            stream=httpx2.ByteStream(content),
            extensions=self._extensions,
        )
        made.headers.encoding = self._encoding  # or every header would be decoded to find it out
        made.read()
        return made

    def account(self) -> dict[str, str]:
        """The headers that say who asks, without those about a body."""
        pairs = ((name.lower(), value) for name, value in self._headers)
        return {name.decode(): value.decode() for name, value in pairs if name not in _ABOUT_A_BODY}
