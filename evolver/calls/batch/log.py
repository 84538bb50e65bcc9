"""What the store is to a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

_T = TypeVar("_T")


class BatchLog(Protocol):
    """The store as batches need it."""

    def expect(self, keys: Iterable[str]) -> None:
        """Take note of calls that may be kept before anybody asks for them."""
        ...

    async def read(self, query: Callable[[Connection], _T]) -> _T:
        """Run a query."""
        ...

    async def write(self, action: Callable[[Connection], _T]) -> _T:
        """Write, after all calls kept so far, and return once it is committed."""
        ...

    async def room(self) -> None:
        """Wait while too much is on its way to the disk."""
        ...
