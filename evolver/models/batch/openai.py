"""OpenAI's batches: a file of requests goes up, one of answers and one of errors come down.

A batch carries metadata, so ours are told by their key, and one that was submitted is always found again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Set
from typing import IO, Any
from urllib.parse import quote as in_path

from evolver.models.batch.protocol import BatchState, Outcome, Sent
from evolver.models.batch.sdk_batches import SdkBatches, fields, number, word
from evolver.models.protocol import Request
from evolver.models.sdk import encode
from evolver.quoting import quote

_ENDPOINT = "/v1/chat/completions"
_METADATA = "evolver_batch"
_OVER = frozenset({"completed", "expired", "cancelled"})


class OpenAIBatches(SdkBatches):
    """The batch API of an :class:`~evolver.models.openai.OpenAIModel`, which makes it."""

    most_requests = 50_000
    most_bytes = 200_000_000
    opening, between, closing = b"", b"\n", b"\n"
    path = "/batches"

    def line(self, key: str, request: Request) -> bytes:
        """Return one line of an input file."""
        entry = {"custom_id": key, "method": "POST", "url": _ENDPOINT, "body": self._model.batched(request)}
        return encode(entry).encode()

    async def submit(self, key: str, file: IO[bytes]) -> str:
        """Upload the file and make a batch of it; a file that was uploaded for nothing does no harm."""
        file.seek(0)
        files = {"file": (f"{key}.jsonl", file)}
        uploaded = await self._ask("POST", "/files", data={"purpose": "batch"}, files=files)
        order = {
            "input_file_id": self._id(uploaded),
            "endpoint": _ENDPOINT,
            "completion_window": "24h",
            "metadata": {_METADATA: key},
        }
        return self._id(await self._ask("POST", self.path, json=order))

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        """Look through the account's batches, newest first, for one with our key in its metadata."""
        async for batch in self._all("after"):
            if number(batch.get("created_at")) < self._earliest(sent).timestamp():
                return None
            found = word(batch.get("id"))
            if fields(batch.get("metadata")).get(_METADATA) == sent.key and found not in not_these:
                return found
        return None

    async def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        """Yield what both files hold; a cancelled request is in neither."""
        for file_id in state.files:
            async for entry in self._lines(f"/files/{in_path(file_id, safe='')}/content", file_id):
                yield str(entry.get("custom_id")), self._outcome(entry)

    def _outcome(self, entry: Mapping[str, Any]) -> Outcome:
        response = entry.get("response")
        if not isinstance(response, dict):
            code = fields(entry.get("error")).get("code")
            return self._not_come_to("expired" if code == "batch_expired" else code or "server_error")
        body, status = response.get("body"), response.get("status_code")
        if status == 200 and isinstance(body, dict):
            return self._answered(body)
        details = fields(fields(body).get("error"))
        return self._model.refused_in_batch(
            status if isinstance(status, int) and status != 200 else 500,
            word(details.get("message")) or "no reason given",
            word(details.get("code")),
            body,
        )

    def _state(self, batch: dict[str, Any]) -> BatchState:
        provider_id, status = self._id(batch), word(batch.get("status"))
        counts = fields(batch.get("request_counts"))
        if status == "failed":
            code, reason = _why(batch.get("errors"), self._model.key)
            return BatchState(provider_id, "failed", code=code, reason=reason)
        return BatchState(
            provider_id,
            "ended" if status in _OVER else "working",
            number(counts.get("completed")),
            number(counts.get("failed")),
            cancelled=status == "cancelled",
            files=tuple(
                each for name in ("output_file_id", "error_file_id") if (each := word(batch.get(name)))
            ),
        )


def _why(errors: object, key: str) -> tuple[str | None, str]:
    """The code and the words of the first error of a batch that was refused as a whole."""
    data = fields(errors).get("data")
    first = fields(data[0]) if isinstance(data, list) and data else {}
    return word(first.get("code")), quote(word(first.get("message")) or "no reason given", key)
