"""What a provider's batch API is to the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Set
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Literal, Protocol, runtime_checkable

from evolver.errors import ModelError, RunModelError, UnknownBatchError
from evolver.models.protocol import Completion, Request

Outcome = Completion | ModelError


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a provider is with a batch.

    ``failed`` batches were refused as a whole, and nothing in them was worked on; ``code`` and ``reason`` say why.
    ``ended`` ones have results, of which some may be failures; ``cancelled`` says that somebody cut it short.
    ``files`` is where the results are, in the provider's own terms.
    """

    provider_id: str
    status: Literal["working", "ended", "failed"]
    succeeded: int = 0
    failed: int = 0
    cancelled: bool = False
    code: str | None = None
    reason: str | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of a batch that was submitted, or perhaps was: its key, some of its calls, and not before when.

    ``calls`` are the keys of those that have no answer yet, of ``requests`` in all. ``since`` is a time of the
    provider's clock, or of ours where it had told none by then.
    """

    key: str
    calls: Set[str]
    requests: int
    since: datetime


@runtime_checkable
class Batchable(Protocol):
    """A model that can be asked in batches."""

    def batch_api(self) -> BatchApi:
        """Return its batch API."""
        ...

    async def aclose(self) -> None:
        """Close its connections, which its batch API shares."""
        ...


class BatchApi(Protocol):
    """A provider's batch API, for one model.

    A file holds ``opening``, the requests' lines with ``between`` between them, and ``closing``.
    Failures are the classes of :mod:`evolver.errors`, as they are of live calls.
    """

    most_requests: int
    most_bytes: int
    opening: bytes
    between: bytes
    closing: bytes

    def line(self, key: str, request: Request) -> bytes:
        """Return one request of a file; ``key`` comes back with its result."""
        ...

    def now(self) -> datetime:
        """Return what the provider's clock shows, as far as its answers have told."""
        ...

    async def submit(self, key: str, file: IO[bytes]) -> str:
        """Submit a file under the batch's key; return the provider's name for the batch."""
        ...

    async def find(self, sent: Sent, not_these: Set[str]) -> str | None:
        """Look for a batch that may have been submitted; ``not_these`` are known to be others."""
        ...

    async def look(self, provider_id: str) -> BatchState:
        """Return how far a batch is."""
        ...

    def results(self, state: BatchState) -> AsyncIterator[tuple[str, Outcome]]:
        """Yield the call key and the outcome of each request of an ended batch, in any order."""
        ...

    async def cancel(self, provider_id: str) -> None:
        """Ask the provider to stop working on a batch."""
        ...


def no_such(who: str, url: str, batch: str | None) -> RunModelError:
    """Return what to say when an address does not exist: a batch's, or that of the whole batch API."""
    if batch is None:
        return RunModelError(f"{who} has no batch API at {url}; nothing was submitted. Leave out --batch.")
    return UnknownBatchError(
        f"{who} does not know the batch {batch}: it is another key's, or was removed after its time; nothing was "
        f"submitted. Use the key it was submitted with, or give it up: evolve batches cancel {batch}"
    )
