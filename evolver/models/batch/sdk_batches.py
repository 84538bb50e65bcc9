"""What the two batch APIs share: requests over the wire of live calls, pages, downloads, failures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any
from urllib.parse import quote as in_path

from evolver.answers.failures import malformed
from evolver.errors import ModelError, TransientModelError
from evolver.models.batch.files import objects, saved
from evolver.models.batch.protocol import BatchState, Outcome, Sent, no_such
from evolver.models.protocol import Completion, Request
from evolver.models.sdk import Wire
from evolver.quoting import quote, redact

_PAGE = 100
_MOST_PAGES = 1_000
_NO_SUCH_PATH = frozenset({404, 405, 501})
_LONGEST_CODE = 80
_UNSURE = timedelta(
    minutes=15
)  # clocks that drift between two looks, and machines of one provider that disagree


@dataclass(frozen=True, slots=True)
class Desk:
    """What a batch API takes over from the live calls of its model.

    ``body`` and ``completion`` write a request and read an answer; ``failure`` reads an error of the SDK's, which is a
    ``status``; ``refused`` reads one that stands in a file of results: status, words, code, and all of it. ``key`` is
    what no message and no id may repeat.
    """

    who: str
    wire: Wire
    status: type[Exception]
    body: Callable[[Request], dict[str, object]]
    completion: Callable[[dict[str, Any]], Completion]
    failure: Callable[[Any], ModelError]
    refused: Callable[[int, str, str | None, object], ModelError]
    key: str


class SdkBatches:
    """The batch API of a model behind an SDK; ``path`` is where its batches are."""

    path: str

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._who = desk.who

    def now(self) -> datetime:
        """Return what the provider's clock shows, as far as its answers have told."""
        return self._desk.wire.clock.now()

    def _earliest(self, sent: Sent) -> datetime:
        """Return when a batch may have been made at the earliest; to look back too far costs a page or two."""
        ahead = self._desk.wire.clock.ahead
        return min(sent.since, sent.since + ahead) - _UNSURE

    async def cancel(self, provider_id: str) -> None:
        """Ask the provider to stop working on a batch; what is done by then is paid and can be collected."""
        await self._ask("POST", f"{self.path}/{in_path(provider_id, safe='')}/cancel", batch=provider_id)

    async def look(self, provider_id: str) -> BatchState:
        """Return how far a batch is."""
        return self._state(
            await self._ask("GET", f"{self.path}/{in_path(provider_id, safe='')}", batch=provider_id)
        )

    def _state(self, batch: dict[str, Any]) -> BatchState:
        raise NotImplementedError

    async def _ask(self, method: str, path: str, *, batch: str | None = None, **parts: Any) -> dict[str, Any]:
        with self._stated(batch):
            return await self._desk.wire.ask(method, path, **parts)

    async def _all(self, after: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the account's batches, newest first; ``after`` is what the next page's parameter is called."""
        params: dict[str, str | int] = {"limit": _PAGE}
        for _ in range(_MOST_PAGES):
            page = await self._ask("GET", self.path, params=params)
            data = page.get("data")
            batches = [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []
            for batch in batches:
                yield batch
            last = page.get("last_id") or (batches[-1].get("id") if batches else None)
            if not page.get("has_more") or not isinstance(last, str) or params.get(after) == last:
                return
            params[after] = last

    async def _lines(self, path: str, batch: str) -> AsyncIterator[dict[str, Any]]:
        """Download a file of results whole, then yield its objects."""
        with self._stated(batch):
            async with self._desk.wire.reply("GET", path) as response:
                file = await saved(response.aiter_bytes(), self._who)
        for entry in objects(file, self._who):
            yield entry

    def _id(self, made: dict[str, Any]) -> str:
        found = made.get("id")
        if not isinstance(found, str) or not found:
            raise malformed("something that has no id", who=self._who)
        if redact(found, self._desk.key) != found:  # it is stored and printed
            raise malformed("an id that holds the key", who=self._who)
        return found

    def _answered(self, body: dict[str, Any]) -> Outcome:
        try:
            return self._desk.completion(body)
        except ModelError as error:
            return error

    def _not_come_to(self, kind: object) -> TransientModelError:
        word = quote(kind, self._desk.key, longest=_LONGEST_CODE)
        return TransientModelError(f"{self._who} did not come to this request ({word})", word)

    @contextmanager
    def _stated(self, batch: str | None = None) -> Iterator[None]:
        """State every failure in our classes; a 404 means that there is no such ``batch``, or no batch API at all."""
        try:
            yield
        except self._desk.status as error:
            unknown = getattr(error, "status_code", None) in _NO_SUCH_PATH
            if unknown and getattr(error, "code", None) != "model_not_found":
                raise no_such(self._who, self._desk.wire.url, batch) from error
            raise self._desk.failure(error) from error


def word(value: object) -> str | None:
    """A text that is one and not empty; servers send anything."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> int:
    """A count that is one and that a database's integer holds; 0 for anything else."""
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0


def file_of(file: IO[bytes]) -> IO[bytes]:
    """A file of requests, from its beginning."""
    file.seek(0)
    return file
