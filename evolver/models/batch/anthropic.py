"""Anthropic's message batches: all requests in one body, all results in one stream of lines.

A batch carries no metadata, only the ``custom_id`` of each request, and those can be read when it has ended. While
one is worked on, a batch whose submission was not confirmed is told by its time and its number of requests.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Set
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from evolver.answers.failures import malformed
from evolver.models.batch.files import chunks
from evolver.models.batch.protocol import BatchState, Outcome, Sent
from evolver.models.batch.sdk_batches import SdkBatches, fields, number, word
from evolver.models.protocol import Request
from evolver.models.sdk import encode

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

_COUNTS = ("processing", "succeeded", "errored", "expired", "canceled")


class AnthropicBatches(SdkBatches):
    """The batch API of an :class:`~evolver.models.anthropic.AnthropicModel`, which makes it."""

    most_requests = 100_000
    most_bytes = 256_000_000
    opening, between, closing = b'{"requests":[', b",\n", b"]}"
    path = "/v1/messages/batches"

    def line(self, key: str, request: Request) -> bytes:
        """Return one request of a body."""
        return encode({"custom_id": key, "params": self._model.batched(request)}).encode()

    async def submit(self, key: str, file: IO[bytes]) -> str:
        """Send the body as it is."""
        headers = {"content-type": "application/json", "content-length": str(file.seek(0, os.SEEK_END))}
        return self._id(await self._ask("POST", self.path, content=chunks(file), headers=headers))

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        """Look for a batch of our size made since: an ended one by its results, one at work by its size alone."""
        at_work: list[tuple[timedelta, str]] = []
        async for batch in self._all("after_id"):
            made, found = self._made(batch), self._id(batch)
            if made < self._earliest(sent):
                break
            if found in not_these or sum(_counts(batch).values()) != sent.requests:
                continue
            if batch.get("processing_status") != "ended":
                at_work.append((abs(made - sent.since), found))
            elif await self._is(found, sent):
                return found
        return min(at_work, default=(None, None))[1]

    async def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        """Yield every result."""
        async for entry in self._results(state.provider_id):
            yield str(entry.get("custom_id")), self._outcome(entry.get("result"))

    def _results(self, provider_id: str) -> AsyncIterator[dict[str, Any]]:
        return self._lines(self._at(provider_id, "results"), provider_id)

    async def _is(self, provider_id: str, sent: Sent) -> bool:
        """Tell our batch from one of another run that asks some of the same: all of ours are among its results."""
        missing = set(sent.calls)
        async for entry in self._results(provider_id):
            missing.discard(str(entry.get("custom_id")))
        return not missing

    def _made(self, batch: dict[str, Any]) -> datetime:
        try:
            made = datetime.fromisoformat(str(batch.get("created_at")))
        except ValueError as error:
            raise malformed("a batch without a time", who=self._who) from error
        return made if made.tzinfo is not None else made.replace(tzinfo=UTC)

    def _outcome(self, result: object) -> Outcome:
        entry = fields(result)
        kind = entry.get("type")
        if kind == "succeeded" and isinstance(entry.get("message"), dict):
            return self._answered(entry["message"])
        if kind != "errored":
            return self._not_come_to(kind)
        said = fields(entry.get("error"))
        inner = fields(said.get("error", said))
        name = str(inner.get("type"))
        message, code = word(inner.get("message")), word(inner.get("code"))
        return self._model.refused_in_batch(
            _STATUS.get(name, 500), message or "no reason given", code or name, inner
        )

    def _state(self, batch: dict[str, Any]) -> BatchState:
        counts, provider_id = _counts(batch), self._id(batch)
        return BatchState(
            provider_id,
            "ended" if batch.get("processing_status") == "ended" else "working",
            counts["succeeded"],
            counts["errored"] + counts["expired"] + counts["canceled"],
            cancelled=batch.get("cancel_initiated_at") is not None,
            files=(provider_id,),
        )


def _counts(batch: dict[str, Any]) -> dict[str, int]:
    found = fields(batch.get("request_counts"))
    return {name: number(found.get(name)) for name in _COUNTS}
