"""Locks on keys of a PostgreSQL store: advisory locks, held by a connection of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from sqlalchemy import URL, BigInteger, Connection, Engine, NullPool, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from evolver_store.connect import connect_postgres
from evolver_store.errors import StoreError
from evolver_store.link import Link
from evolver_store.saying import stated
from evolver_store.server_claim import OTHERS, key_of

_ALL = 0x65766F6C76657202  # in place of every key
_FULL = "53200"  # SQLSTATE of a server whose table of locks is full

_NUMBERS = bindparam("numbers", type_=ARRAY(BigInteger))
_TAKE = text("SELECT n FROM unnest(:numbers) AS t(n) WHERE pg_try_advisory_lock(n)").bindparams(_NUMBERS)
_FREE = text("SELECT pg_advisory_unlock(n) FROM unnest(:numbers) AS t(n)").bindparams(_NUMBERS)

_T = TypeVar("_T")


class ServerKeyLocks:
    """The locks of one run on a PostgreSQL store; see :class:`evolver_store.key_locks.KeyLocks`.

    A connection that was cut is made again, and what it held taken again where nobody else has it by then. Where the
    server's table of locks is full, every key is free.

    Args:
        url: The store.
        run: The run's name.
    """

    def __init__(self, url: URL, run: str) -> None:
        self._url = url
        self._run = run
        self._engine: Engine | None = None
        self._link: Link | None = None
        self._mine: set[int] = set()
        self._lost = self._full = False

    def others(self) -> bool:
        """Count the claims on runs that are not this one's."""
        key = key_of(self._run)
        return bool(self._do(lambda conn: conn.execute(OTHERS, {"key": key}).scalar()))

    def take_all(self) -> bool:
        """Lock the number that stands for every key."""
        return bool(self._take([_ALL]))

    def give_all(self) -> None:
        """Unlock it."""
        self._free([_ALL])

    def all_taken(self) -> bool:
        """Try for the lock, and let go of it."""
        if not self.take_all():
            return True
        self.give_all()
        return False

    def take(self, keys: Collection[str]) -> set[str]:
        """Lock a number for each key."""
        numbers = {_number(key): key for key in keys}
        return {numbers[number] for number in self._take(numbers)}

    def free(self, keys: Collection[str]) -> None:
        """Unlock them."""
        self._free(map(_number, keys))

    def close(self) -> None:
        """Close the connection, and with it every lock."""
        if self._link is not None:
            self._link.close()
        if self._engine is not None:
            self._engine.dispose()
        self._link = None
        self._mine.clear()

    def _take(self, numbers: Collection[int]) -> set[int]:
        wanted = [number for number in numbers if number not in self._mine]
        if wanted and not self._full:
            try:
                got = self._do(lambda conn: _taken(conn, wanted))
                self._mine |= got  # afterwards: over a new connection it is another set
            except StoreError as error:
                if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) != _FULL:
                    raise
                self._full = True
                self.close()  # what was locked before the table was full is locked without our knowing
        return set(numbers) if self._full else self._mine.intersection(numbers)

    def _free(self, numbers: Collection[int] | map[int]) -> None:
        held = [number for number in numbers if number in self._mine]
        if held:
            self._mine.difference_update(held)  # first: over a new connection there is nothing to unlock
            self._do(lambda conn: conn.execute(_FREE, {"numbers": held}).all())

    def _do(self, work: Callable[[Connection], _T]) -> _T:
        def over_what_was_held(conn: Connection) -> _T:
            if self._lost:
                self._mine = _taken(conn, list(self._mine))
                self._lost = False
            return work(conn)

        with stated(
            "the store cannot say which calls are in flight", "the run stopped, what was written is safe."
        ):
            return self._linked().transact(over_what_was_held)

    def _linked(self) -> Link:
        if self._link is None:
            # Closed connections are closed indeed: one that lived on in a pool would keep its locks.
            self._engine = connect_postgres(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
            self._link = Link(self._engine, self._note_loss)
        return self._link

    def _note_loss(self) -> None:
        self._lost = True


def _taken(conn: Connection, numbers: list[int]) -> set[int]:
    return set(conn.execute(_TAKE, {"numbers": numbers}).scalars())


def _number(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key[:16]), "big", signed=True)
