"""Claims on PostgreSQL stores: advisory locks, held by a connection that is kept awake and renewed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import blake2b

from sqlalchemy import URL, Connection, Engine, bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from evolver_store.connect import connect_postgres, guarded
from evolver_store.errors import RunBusyError

_ANY = 0x65766F6C76657201  # shared by every claim on a database, so that others can be told from nobody
_AWAKE = 20.0  # seconds between two signs of life: what cuts idle connections waits for minutes

_TAKE = text("SELECT pg_try_advisory_lock(:key), pg_try_advisory_lock_shared(:any)").bindparams(
    bindparam("any", _ANY)
)
_HELD = text(
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32 | objid::bigint) = :key)"
)
OTHERS = text(
    "SELECT COUNT(*) FROM pg_locks one WHERE one.locktype = 'advisory' AND one.granted AND one.objsubid = 1"
    " AND one.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (one.classid::bigint << 32 | one.objid::bigint) = :any AND one.pid NOT IN ("
    "   SELECT own.pid FROM pg_locks own WHERE own.locktype = 'advisory' AND own.objsubid = 1"
    "   AND (own.classid::bigint << 32 | own.objid::bigint) = :key AND own.database = one.database)"
).bindparams(bindparam("any", _ANY))


def key_of(run: str) -> int:
    """Return the number that a run is locked by."""
    return int.from_bytes(blake2b(run.encode(errors="replace"), digest_size=8).digest(), "big", signed=True)


class ServerClaim:
    """An advisory lock and the connection that holds it."""

    def __init__(self, engine: Engine, run: str, busy: RunBusyError) -> None:
        self._engine = engine
        self._key = key_of(run)
        self._busy = busy
        self._conn: Connection | None = None
        self._using = threading.Lock()
        self._taken: RunBusyError | None = None

    def check(self) -> None:
        """Raise if another process was seen to have taken the run.

        Raises:
            RunBusyError: It has.
        """
        if self._taken is not None:
            raise self._taken

    def renew(self) -> None:
        """Take the lock again where the connection that held it was cut.

        Raises:
            RunBusyError: Another process has taken it meanwhile.
            SQLAlchemyError: The server cannot be reached.
        """
        with self._using:
            if self._conn is not None:
                try:
                    self._conn.exec_driver_sql("SELECT 1")
                except SQLAlchemyError:
                    self._drop()
                else:
                    return
            self._take()

    def release(self) -> None:
        """Let go of the lock."""
        with self._using:
            self._drop()

    def _take(self) -> None:
        conn = self._engine.connect()
        try:
            free = conn.execute(_TAKE, {"key": self._key}).one()[0]
        except BaseException:
            conn.close()
            raise
        self._conn = conn
        if not free:
            self._drop()
            self._taken = self._busy
            raise self._busy

    def _drop(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(SQLAlchemyError):  # the server may be gone, and the lock with it
                conn.invalidate()  # closed rather than given back: the locks go with the session
                conn.close()


@contextmanager
def server_claim(url: URL, run: str, busy: RunBusyError) -> Iterator[ServerClaim]:
    """Hold the lock while the block works.

    Raises:
        RunBusyError: ``busy``; another process holds the lock.
        StoreError: The server cannot be reached.
    """
    engine = connect_postgres(url, isolation_level="AUTOCOMMIT")
    claim = ServerClaim(engine, run, busy)
    over = threading.Event()
    awake = threading.Thread(target=_keep_awake, args=(claim, over), name="evolver-claim", daemon=True)
    try:
        guarded(engine, claim.renew, url)
        awake.start()
        yield claim
    finally:
        over.set()
        if awake.is_alive():
            awake.join()
        claim.release()
        engine.dispose()


def _keep_awake(claim: ServerClaim, over: threading.Event) -> None:
    """Give signs of life. A lock that was lost is taken again; if another has it, the next write is told."""
    while not over.wait(_AWAKE):
        with contextlib.suppress(SQLAlchemyError, RunBusyError):
            claim.renew()


def is_held(url: URL, run: str) -> bool:
    """Tell whether a session holds the lock of a run."""
    return bool(_asked(url, lambda conn: conn.execute(_HELD, {"key": key_of(run)}).scalar()))


def _asked(url: URL, ask: Callable[[Connection], object]) -> object:
    engine = connect_postgres(url)

    def asked() -> object:
        with engine.connect() as conn:
            return ask(conn)

    try:
        return guarded(engine, asked, url)
    finally:
        engine.dispose()
