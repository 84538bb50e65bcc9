"""OpenAI's batches: a file of requests goes up, one of answers and one of errors come down.

A batch carries metadata, so ours are told by their key, and one that was submitted is always found again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Any, Final

import openai
from openai.types import Batch

from evolver.errors import ModelError, TransientModelError
from evolver.models.batch.files import encode, objects, saved
from evolver.models.batch.protocol import BatchState, Outcome, Sent, no_such
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import Wire

_ENDPOINT: Final = "/v1/chat/completions"
_METADATA = "evolver_batch"
_PAGE = 100
_CLOCKS_APART = timedelta(minutes=15)
_NO_SUCH_PATH = frozenset({404, 405, 501})
_OVER = frozenset({"completed", "expired", "cancelled"})


class OpenAIBatches:
    """The batch API behind a client of OpenAI's SDK; an :class:`~evolver.models.openai.OpenAIModel` makes it.

    ``body`` and ``completion`` write a request and read an answer as for live calls; ``failure`` reads an HTTP
    error, ``refused`` one that stands in a file of results: status, the provider's words, code.
    """

    most_requests = 50_000
    most_bytes = 200_000_000
    opening, between, closing = b"", b"\n", b"\n"

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        *,
        who: str,
        wire: Wire,
        body: Callable[[Request], dict[str, object]],
        completion: Callable[[dict[str, Any]], Completion],
        failure: Callable[[openai.APIStatusError], ModelError],
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
        """Return one line of an input file."""
        entry = {"custom_id": key, "method": "POST", "url": _ENDPOINT, "body": self._body(request)}
        return encode(entry).encode()

    async def submit(self, key: str, file: IO[bytes]) -> str:
        """Upload the file and make a batch of it; a file that was uploaded for nothing does no harm."""
        with self._stated():
            file.seek(0)
            uploaded = await self._client.files.create(file=(f"{key}.jsonl", file), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=uploaded.id,
                endpoint=_ENDPOINT,
                completion_window="24h",
                metadata={_METADATA: key},
            )
        return batch.id

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        """Look through the account's batches, newest first, for one with our key in its metadata."""
        earliest = (sent.since - _CLOCKS_APART).timestamp()
        with self._stated():
            async for batch in self._client.batches.list(limit=_PAGE):
                if batch.created_at < earliest:
                    return None
                if (batch.metadata or {}).get(_METADATA) == sent.key and batch.id not in not_these:
                    return batch.id
        return None

    async def look(self, provider_id: str) -> BatchState:
        """Return how far a batch is."""
        with self._stated(provider_id):
            return _state(await self._client.batches.retrieve(provider_id))

    async def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        """Yield what both files hold; a cancelled request is in neither."""
        for file_id in state.files:
            with self._stated(file_id):
                content = self._client.files.with_streaming_response.content(file_id)
                async with content as response:
                    file = await saved(response.iter_bytes())
            for entry in objects(file, self._who):
                yield str(entry.get("custom_id")), self._outcome(entry)

    async def cancel(self, provider_id: str) -> None:
        """Ask OpenAI to stop working on a batch; what is done by then is paid and can be collected."""
        with self._stated(provider_id):
            await self._client.batches.cancel(provider_id)

    def _outcome(self, entry: Mapping[str, Any]) -> Outcome:
        response = entry.get("response")
        if not isinstance(response, dict):
            error = entry.get("error")
            code = error.get("code") if isinstance(error, dict) else None
            kind = "expired" if code == "batch_expired" else str(code or "server_error")
            return TransientModelError(f"{self._who} did not come to this request ({kind})", kind)
        body = response.get("body")
        status = response.get("status_code")
        try:
            if status == 200 and isinstance(body, dict):
                return self._completion(body)
        except ModelError as error:
            return error
        said = body.get("error") if isinstance(body, dict) else None
        details: Mapping[str, Any] = said if isinstance(said, dict) else {}
        code = details.get("code")
        return self._refused(
            status if isinstance(status, int) and status != 200 else 500,
            str(details.get("message") or "no reason given"),
            code if isinstance(code, str) else None,
        )

    @contextmanager
    def _stated(self, batch: str | None = None) -> Iterator[None]:
        """State every failure in our classes; a 404 means that there is no such ``batch``, or no batch API at all."""
        try:
            with self._wire.failures():
                yield
        except openai.APIStatusError as error:
            if error.status_code in _NO_SUCH_PATH and error.code != "model_not_found":
                raise no_such(self._who, self._wire.url, batch) from error
            raise self._failure(error) from error


def _state(batch: Batch) -> BatchState:
    counts = batch.request_counts
    done, failed = (counts.completed, counts.failed) if counts else (0, 0)
    if batch.status == "failed":
        error = batch.errors.data[0] if batch.errors and batch.errors.data else None
        return BatchState(
            batch.id,
            "failed",
            code=error.code if error else None,
            reason=(error.message if error else None) or "no reason given",
        )
    files = tuple(each for each in (batch.output_file_id, batch.error_file_id) if each)
    over = batch.status in _OVER
    return BatchState(
        batch.id,
        "ended" if over else "working",
        done,
        failed,
        cancelled=batch.status == "cancelled",
        files=files,
    )
