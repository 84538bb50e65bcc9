"""What the two batch APIs share: requests over the wire of live calls, pages, downloads, failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as in_path

from evolver.answers.failures import malformed
from evolver.errors import ModelError, TransientModelError
from evolver.models.batch.files import objects, saved
from evolver.models.batch.protocol import BatchState, Outcome, Sent, no_such
from evolver.quoting import quote, redact

if TYPE_CHECKING:
    from evolver.models.sdk_model import SdkModel

_PAGE = 100
_MOST_PAGES = 1_000
_NO_SUCH_PATH = frozenset({404, 405, 501})
_LONGEST_CODE = 80
# Clocks drift between two looks, and machines of one provider disagree.
_UNSURE = timedelta(minutes=15)


class SdkBatches(ABC):
    """The batch API of a model behind an SDK, over the connections of its live calls; ``path`` is where batches are."""

    path: str

    def __init__(self, model: SdkModel) -> None:
        self._model = model
        self._who = model.name

    def now(self) -> datetime:
        """Return what the provider's clock shows, as far as its answers have told."""
        return self._model.wire.clock.now()

    def _earliest(self, sent: Sent) -> datetime:
        """Return when a batch may have been made at the earliest; to look back too far costs a page or two."""
        ahead = self._model.wire.clock.ahead
        return min(sent.since, sent.since + ahead) - _UNSURE

    async def cancel(self, provider_id: str) -> None:
        """Ask the provider to stop working on a batch; what is done by then is paid and can be collected."""
        await self._ask("POST", self._at(provider_id, "cancel"), batch=provider_id)

    async def look(self, provider_id: str) -> BatchState:
        """Return how far a batch is."""
        return self._state(await self._ask("GET", self._at(provider_id), batch=provider_id))

    @abstractmethod
    def _state(self, batch: dict[str, Any]) -> BatchState:
        """Read what the provider says of a batch."""

    def _at(self, provider_id: str, *more: str) -> str:
        return "/".join((self.path, in_path(provider_id, safe=""), *more))

    async def _ask(self, method: str, path: str, *, batch: str | None = None, **parts: Any) -> dict[str, Any]:
        with self._stated(batch):
            return await self._model.wire.ask(method, path, **parts)

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
            async with self._model.wire.reply("GET", path) as response:
                file = await saved(response.aiter_bytes(), self._who)
        for entry in objects(file, self._who):
            yield entry

    def _id(self, made: dict[str, Any]) -> str:
        found = made.get("id")
        if not isinstance(found, str) or not found:
            raise malformed("something that has no id", who=self._who)
        if redact(found, self._model.key) != found:  # it is stored and printed
            raise malformed("an id that holds the key", who=self._who)
        return found

    def _answered(self, body: dict[str, Any]) -> Outcome:
        try:
            return self._model.completion(body)
        except ModelError as error:
            return error

    def _not_come_to(self, kind: object) -> TransientModelError:
        word = quote(kind, self._model.key, longest=_LONGEST_CODE)
        return TransientModelError(f"{self._who} did not come to this request ({word})", word)

    @contextmanager
    def _stated(self, batch: str | None = None) -> Iterator[None]:
        """State every failure in our classes; a 404 means that there is no such ``batch``, or no batch API at all."""
        try:
            yield
        except self._model.sdk.status as error:
            unknown = getattr(error, "status_code", None) in _NO_SUCH_PATH
            if unknown and getattr(error, "code", None) != "model_not_found":
                raise no_such(self._who, self._model.wire.url, batch) from error
            raise self._model.failure(error) from error


def word(value: object) -> str | None:
    """A text that is one and not empty; servers send anything."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> int:
    """A count that is one and that a database's integer holds; 0 for anything else."""
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else 0


def fields(value: object) -> Mapping[str, Any]:
    """An object's fields; none where it is no object."""
    return value if isinstance(value, dict) else {}
