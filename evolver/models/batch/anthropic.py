"""Anthropic's message batches: all requests in one body, all results in one stream of lines.

A batch carries no metadata, only the ``custom_id`` of each request, and those can be read when it has ended. While
one is worked on, a batch whose submission was not confirmed is told by its time and its number of requests.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any

import anthropic
import httpx2
from anthropic.types.messages import MessageBatch

from evolver.errors import ModelError, TransientModelError
from evolver.models.batch.files import chunks, encode, objects, saved
from evolver.models.batch.protocol import BatchState, Outcome, Sent, no_such
from evolver.models.failures import malformed
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import Wire

_PATH = "/v1/messages/batches"
_PAGE = 100
_CLOCKS_APART = timedelta(minutes=15)
_NO_SUCH_PATH = frozenset({404, 405, 501})
_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""HTTP statuses of the errors that stand in results by name alone; any other is the server's, 500."""


class AnthropicBatches:
    """The batch API behind a client of Anthropic's SDK; an ``AnthropicModel`` makes it.

    ``body`` and ``completion`` write a request and read an answer as for live calls; ``failure`` reads an HTTP
    error, ``refused`` one that stands in the results: status, the provider's words, code.
    """

    most_requests = 100_000
    most_bytes = 256_000_000
    opening, between, closing = b'{"requests":[', b",\n", b"]}"

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        *,
        who: str,
        wire: Wire,
        body: Callable[[Request], dict[str, object]],
        completion: Callable[[dict[str, Any]], Completion],
        failure: Callable[[anthropic.APIStatusError], ModelError],
        refused: Callable[[int, str, str | None], ModelError],
    ) -> None:
        self._client = client
        self._who = who
        self._wire = wire
        self._body = body
        self._completion = completion
        self._failure = failure
        self._refused = refused

    def line(self, key: str, request: Request) -> bytes:
        """Return one request of a body."""
        return encode({"custom_id": key, "params": self._body(request)}).encode()

    async def submit(self, key: str, file: IO[bytes]) -> str:
        """Send the body as it is: the SDK's own method would look at each of 100,000 requests again."""
        headers = {"content-type": "application/json", "content-length": str(file.seek(0, os.SEEK_END))}
        with self._stated():
            response = await self._client.post(
                _PATH, cast_to=httpx2.Response, content=chunks(file), options={"headers": headers}
            )
        try:
            return str(response.json()["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise malformed("something that is no batch", who=self._who) from error

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        """Look for a batch of our size made since: an ended one by its results, one at work by its size alone."""
        at_work: list[tuple[timedelta, str]] = []
        with self._stated():
            async for batch in self._client.messages.batches.list(limit=_PAGE):
                if batch.created_at < sent.since - _CLOCKS_APART:
                    break
                if batch.id in not_these or _requests(batch) != len(sent.calls):
                    continue
                if batch.processing_status != "ended":
                    at_work.append((abs(batch.created_at - sent.since), batch.id))
                elif await self._is(batch.id, sent):
                    return batch.id
        return min(at_work, default=(None, None))[1]

    async def look(self, provider_id: str) -> BatchState:
        """Return how far a batch is."""
        with self._stated(provider_id):
            batch = await self._client.messages.batches.retrieve(provider_id)
        counts = batch.request_counts
        return BatchState(
            batch.id,
            "ended" if batch.processing_status == "ended" else "working",
            counts.succeeded,
            counts.errored + counts.expired + counts.canceled,
            cancelled=batch.cancel_initiated_at is not None,
            files=(batch.id,),
        )

    async def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        """Yield every result."""
        for entry in objects(await self._download(state.provider_id), self._who):
            yield str(entry.get("custom_id")), self._outcome(entry.get("result"))

    async def cancel(self, provider_id: str) -> None:
        """Ask Anthropic to stop working on a batch; what is done by then is paid and can be collected."""
        with self._stated(provider_id):
            await self._client.messages.batches.cancel(provider_id)

    async def _is(self, provider_id: str, sent: Sent) -> bool:
        file = await self._download(provider_id)
        return any(entry.get("custom_id") in sent.calls for entry in objects(file, self._who))

    async def _download(self, provider_id: str) -> IO[bytes]:
        with self._stated(provider_id):
            content = self._client.messages.batches.with_streaming_response.results(provider_id)
            async with content as response:
                return await saved(response.iter_bytes())

    def _outcome(self, result: object) -> Outcome:
        entry: Mapping[str, Any] = result if isinstance(result, dict) else {}
        kind = entry.get("type")
        if kind == "succeeded" and isinstance(entry.get("message"), dict):
            try:
                return self._completion(entry["message"])
            except ModelError as error:
                return error
        if kind != "errored":
            return TransientModelError(f"{self._who} did not come to this request ({kind})", str(kind))
        said = entry.get("error")
        inner = said.get("error", said) if isinstance(said, dict) else {}
        name = str(inner.get("type"))
        return self._refused(
            _STATUS.get(name, 500), str(inner.get("message") or "no reason given"), inner.get("code") or name
        )

    @contextmanager
    def _stated(self, batch: str | None = None) -> Iterator[None]:
        """State every failure in our classes; a 404 means that there is no such ``batch``, or no batch API at all."""
        try:
            with self._wire.failures():
                yield
        except anthropic.APIStatusError as error:
            if error.status_code in _NO_SUCH_PATH:
                raise no_such(self._who, self._wire.url, batch) from error
            raise self._failure(error) from error


def _requests(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.expired + counts.canceled
