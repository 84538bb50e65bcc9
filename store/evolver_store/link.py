"""A connection that is renewed when the server cut it, and what it was to do done again; locks are waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from evolver_store.saying import is_passing

PATIENCE = 90.0
"""Seconds that a server may be away, or that another program may hold a file's lock: answers that are paid for wait
meanwhile, and are lost with the run. A restart takes some seconds, a failover or a copy of a large file a minute."""
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 2.0

_T = TypeVar("_T")


class Link:
    """One connection to a store; for one thread.

    Args:
        engine: The store.
        on_renewed: Called after each renewal, before anything is done again; what it raises is raised.
        patience: Seconds to go on trying after the first failure.
        only_reads: Whether it never writes, and so never waits for a writer.
    """

    def __init__(
        self,
        engine: Engine,
        on_renewed: Callable[[], None] = lambda: None,
        *,
        patience: float = PATIENCE,
        only_reads: bool = False,
    ) -> None:
        self._engine = engine
        self._on_renewed = on_renewed
        self._patience = patience
        self._only_reads = only_reads
        self._conn: Connection | None = None
        self._lost = False
        self._never = threading.Event()

    def transact(self, work: Callable[[Connection], _T], *, repeatable: bool = True) -> _T:
        """Do ``work`` in a transaction of its own and return its result once that is committed.

        Args:
            work: Called again, in a new transaction, where the connection was cut.
            repeatable: Whether it may be done again where nobody knows if the first commit arrived.

        Raises:
            SQLAlchemyError: It failed for another reason, or for longer than the patience lasts.
        """
        deadline, wait = time.monotonic() + self._patience, _FIRST_WAIT
        while True:
            committing = False
            try:
                conn = self._connected()
                with conn.begin():
                    result = work(conn)
                    committing = True
            except DBAPIError as error:
                if not is_passing(error) or (committing and not repeatable):
                    raise
                self.close()
                self._lost = True
                if time.monotonic() > deadline:
                    raise
            else:
                return result
            self._never.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def close(self) -> None:
        """Give the connection back; the next transaction makes another."""
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(SQLAlchemyError):
                conn.close()

    def _connected(self) -> Connection:
        if self._conn is None:
            self._conn = self._engine.connect().execution_options(only_reads=self._only_reads)
        if self._lost:
            self._on_renewed()
            self._lost = False
        return self._conn


def once(
    engine: Engine,
    work: Callable[[Connection], _T],
    *,
    only_reads: bool = False,
    patience: float = PATIENCE,
) -> _T:
    """Do ``work`` in a transaction of its own, with the patience of a :class:`Link`."""
    link = Link(engine, only_reads=only_reads, patience=patience)
    try:
        return link.transact(work)
    finally:
        link.close()
