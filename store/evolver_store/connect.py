"""Open a store: for writing (created and migrated as needed) or for reading (never created, never changed)."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from evolver_store.errors import NotAStoreError, StoreError, StoreMissingError
from evolver_store.migrate import SCHEMA_VERSION, check_readable, migrate
from evolver_store.older import stand_ins

DEFAULT_STORE = "sqlite:///evolve.db"
_T = TypeVar("_T")
Store = str | os.PathLike[str] | URL
_BUSY_MS = 30_000  # another process's transaction is at most 200 rows; this is patience for a slow disk


def store_url(store: Store) -> URL:
    """Turn what a user gives (a URL, or a bare path, which means SQLite) into a URL.

    Raises:
        StoreError: Neither a path nor a URL of SQLite or PostgreSQL.
    """
    if isinstance(store, URL):
        return store
    text = os.fspath(store)
    if "://" not in text:
        text = f"sqlite:///{text}"
        return _file_url(URL.create("sqlite", database=text.removeprefix("sqlite:///")))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # a port that is no number is a plain ValueError
        # What cannot be parsed cannot be cleared of its password either, so it is not repeated.
        raise StoreError(
            f"the store's URL, {text.partition('://')[0]}://…, is not one of a database; nothing was opened.\n"
            "Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        ) from error
    backend = url.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return _file_url(url)
    raise StoreError(
        f"a store is SQLite or PostgreSQL, not {backend}; nothing was opened.\n"
        "Name a file, as in --store evolve.db, or write postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
    )


def _file_url(url: URL) -> URL:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StoreError(
            "a store in memory would lose every paid call at the end; nothing was opened.\n"
            "Name a file: --store evolve.db"
        )
    return url


def open_for_writing(store: Store) -> Engine:
    """Open a store to write, creating and migrating it as needed.

    Raises:
        StoreError: It cannot be opened; subclasses say why.
    """
    url = store_url(store)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        if not path.parent.is_dir():
            raise StoreMissingError(
                f"the folder {path.parent} does not exist; no store was made. Make it first."
            )
        engine = _engine(url, lambda: _sqlite(path, "rwc"))
    else:
        engine = connect_postgres(url)
    guarded(engine, lambda: migrate(engine, shown(url)), url)
    return engine


@contextmanager
def remove_if_new(url: URL) -> Iterator[None]:
    """Leave no empty store behind: a SQLite file that was not there before goes again if the block fails.

    It stays where somebody else has begun a run in it, or has it open to write.
    """
    path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    new = path is not None and not path.exists()
    try:
        yield
    except BaseException:
        if new and _is_empty(path):
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)
        raise


def _is_empty(path: Path | None) -> bool:
    if path is None or not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as conn:
            conn.execute("BEGIN EXCLUSIVE")
            tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return "runs" not in tables or conn.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None
    except sqlite3.Error:
        return False


@contextmanager
def reading(store: Store) -> Iterator[Engine]:
    """Open a store to read: it is neither created, migrated nor locked, and the database refuses any write.

    A SQLite store that nobody has open is read as a file that does not change, so that not even its shared
    memory is made; should a run begin to write it meanwhile, the reader is told rather than misled.

    Raises:
        StoreMissingError: There is none.
        StoreError: It cannot be read; subclasses say why.
    """
    url = store_url(store)
    still: _Still | None = None
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        if not path.is_file():
            raise StoreMissingError(
                f"there is no store at {path}; nothing was read.\n"
                "Name one with --store, or make one with 'evolve --pool …'."
            )
        still = None if Path(f"{path}-wal").exists() else _Still(path)
        mode = "ro" if still is None else "ro&immutable=1"
        engine = _engine(url, lambda: _sqlite(path, mode), begin="BEGIN")
    else:
        engine = connect_postgres(url, execution_options={"postgresql_readonly": True})
    try:
        guarded(engine, lambda: _check(engine, url), url)
        yield engine
    except DatabaseError:
        if still is not None:
            still.check()
        raise
    finally:
        engine.dispose()
    if still is not None:
        still.check()


class _Still:
    """A store's file as it was when a reader opened it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = self._state()

    def check(self) -> None:
        if self._state() != self._before:
            raise StoreError(
                f"a run began to write {self._path} while it was read, so what was read may be mixed; "
                "nothing was changed. Run the same command again."
            )

    def _state(self) -> tuple[int, int, bool]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size, Path(f"{self._path}-wal").exists()


def _check(engine: Engine, url: URL) -> None:
    with engine.connect() as conn:
        older = check_readable(conn, shown(url)) < SCHEMA_VERSION
        statements = stand_ins(conn) if older else []
    if older:
        event.listen(engine, "connect", lambda driver, _: _stand_in(driver, statements))
        engine.dispose()  # what is connected already lacks them


def _stand_in(driver: Any, statements: list[str]) -> None:
    """Make temporary views on a new connection of a reader."""
    sqlite = isinstance(driver, sqlite3.Connection)
    if sqlite:
        driver.execute("PRAGMA query_only=OFF")
        driver.execute("PRAGMA temp_store=MEMORY")
    for statement in statements:
        driver.execute(statement)
    if sqlite:
        driver.execute("PRAGMA query_only=ON")
    else:
        driver.commit()


def shown(url: URL) -> str:
    """Return a store's name for messages: a path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.difference_update_query(("password", "sslpassword")).render_as_string(hide_password=True)


def _engine(url: URL, creator: Callable[[], sqlite3.Connection], begin: str = "BEGIN IMMEDIATE") -> Engine:
    engine = create_engine("sqlite://", creator=creator, poolclass=QueuePool, **_json())

    @event.listens_for(engine, "begin")
    def _begin(conn: Any) -> None:
        # The driver begins only before a write, and deferred: two writers would then fail, not wait.
        conn.exec_driver_sql("BEGIN" if conn.get_execution_options().get("only_reads") else begin)

    return engine


def _json() -> dict[str, Any]:
    return {"json_serializer": _dump, "json_deserializer": json.loads}


_dump = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
).encode


def _sqlite(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _set_up(conn, mode)
    except sqlite3.Error:
        conn.close()
        raise
    return conn


def _set_up(conn: sqlite3.Connection, mode: str) -> None:
    conn.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    if mode.startswith("ro"):
        conn.execute("PRAGMA query_only=ON")
    else:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("PRAGMA foreign_keys=ON")


def connect_postgres(url: URL, **options: Any) -> Engine:
    """Make an engine for PostgreSQL; nothing is connected yet.

    Raises:
        StoreError: The psycopg package is missing; the message names what to install.
    """
    try:
        return create_engine(url, **_json(), **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            "PostgreSQL needs the psycopg package; nothing was opened. Install it: pip install 'evolver[postgres]'"
        ) from error


def guarded(engine: Engine, action: Callable[[], _T], url: URL) -> _T:
    """Run the first action on a new engine; whatever the driver says of the place becomes one sentence.

    Raises:
        StoreError: The action failed; the engine is disposed of.
    """
    try:
        return action()
    except (DBAPIError, sqlite3.Error) as error:
        engine.dispose()
        raise _stated(error, url) from error
    except BaseException:
        engine.dispose()
        raise


def _stated(error: DBAPIError | sqlite3.Error, url: URL) -> StoreError:
    cause = getattr(error, "orig", None) or error
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and not isinstance(error, (OperationalError, sqlite3.OperationalError)):
        return NotAStoreError(
            f"{shown(url)} is no SQLite database ({cause}); nothing was written. Name another file with --store."
        )
    reason = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    advice = (
        "Make sure that it is a file you may read and write, or name another with --store."
        if sqlite
        else "Make sure that the server runs, and that host, port, database, user and password are right."
    )
    return StoreError(f"the store {shown(url)} cannot be opened ({reason}); nothing was written.\n{advice}")
