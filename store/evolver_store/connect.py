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

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from evolver_store import sqlite_files
from evolver_store.errors import NotAStoreError, StoreError, StoreMissingError
from evolver_store.migrate import SCHEMA_VERSION, check_readable, migrate
from evolver_store.odd_values import stating_odd_values
from evolver_store.older import stand_ins
from evolver_store.saying import MEND, cause_of, is_without_room, way_on
from evolver_store.schema import migrations
from evolver_store.strangers import refuse_strangers_files

_T = TypeVar("_T")
Store = str | os.PathLike[str] | URL


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
        return _open_file(url)
    engine = connect_postgres(url)
    guarded(engine, lambda: migrate(engine, shown(url)), url)
    return engine


def _open_file(url: URL) -> Engine:
    path = Path(str(url.database))
    if not path.parent.is_dir():
        raise StoreMissingError(f"the folder {path.parent} does not exist; no store was made. Make it first.")
    refuse_strangers_files(path, to_write=True)
    while True:
        engine = _engine(url, lambda: sqlite_files.connect(path, sqlite_files.TO_WRITE))
        if _brought_up_to_date(engine, path, url):
            return engine
        # Another command made the file, found nothing to do, and took it away again while we opened it.
        engine.dispose()


def _brought_up_to_date(engine: Engine, path: Path, url: URL) -> bool:
    """Migrate a file; return whether it is there still."""

    def action() -> bool:
        _refuse_foreign_objects(engine, url)
        before = _file_number(path)
        migrate(engine, shown(url))
        return _file_number(path) == before

    return guarded(engine, action, url)


def _file_number(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _refuse_foreign_objects(engine: Engine, url: URL) -> None:
    with engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        if driver.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", (migrations.name,)).fetchone():
            sqlite_files.refuse_foreign_objects(driver, shown(url))


@contextmanager
def remove_if_new(url: URL) -> Iterator[None]:
    """Leave no empty store behind: a SQLite file that was not there before goes again if the block fails.

    It stays where somebody else has begun a run in it, or has it open.
    """
    path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
    new = path is not None and not path.exists()
    try:
        yield
    except BaseException:
        if new and path is not None and path.exists():
            _remove_if_empty(path)
        raise


def _remove_if_empty(path: Path) -> None:
    """Remove a store that holds no run, while nobody else can have it open."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as conn,
    ):
        conn.execute("PRAGMA locking_mode=EXCLUSIVE")  # fails below while anybody else is connected
        conn.execute("BEGIN EXCLUSIVE")
        tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "runs" not in tables or conn.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{path}{suffix}").unlink(missing_ok=True)


@contextmanager
def reading(store: Store) -> Iterator[Engine]:
    """Open a store to read: it is neither created, migrated nor changed, and the database refuses any write.

    Every transaction sees the store as it was when it began, whoever writes meanwhile. A store of an older schema is
    read as if it had the newest one. Ctrl-C ends a query that runs.

    Raises:
        StoreMissingError: There is none.
        StoreError: It cannot be read; subclasses say why.
    """
    url = store_url(store)
    still: _Still | None = None
    if url.get_backend_name() == "sqlite":
        engine, still = _file_to_read(url)
    else:
        engine = connect_postgres(url, execution_options={"postgresql_readonly": True})
        guarded(engine, lambda: _check(engine, url, alone=False), url)
    try:
        with _stating_odd_values(url):
            yield engine
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from error
        if still is not None:
            still.check()
        raise
    finally:
        engine.dispose()
    if still is not None:
        still.check()


def checked(store: Store) -> contextlib.AbstractContextManager[None]:
    """Tell of an odd value of a store where the block fails by it, as :func:`reading` does of what it reads."""
    return _stating_odd_values(store_url(store))


def _stating_odd_values(url: URL) -> contextlib.AbstractContextManager[None]:
    if url.get_backend_name() != "sqlite":
        return contextlib.nullcontext()
    return stating_odd_values(Path(str(url.database)))


def _file_to_read(url: URL) -> tuple[Engine, _Still | None]:
    """Open a file to read; on a full disk, where SQLite has no room for a log, as one that does not change."""
    path = Path(str(url.database))
    if not path.is_file():
        raise StoreMissingError(
            f"there is no store at {path}; nothing was read.\n"
            "Name one with --store, or make one with 'evolve --pool …'."
        )
    refuse_strangers_files(path, to_write=False)
    mode, alone = sqlite_files.way_to_read(path), sqlite_files.lacks_its_log(path)
    try:
        return _opened_to_read(url, mode, alone)
    except StoreError as error:
        if not is_without_room(error.__cause__) or not sqlite_files.is_whole_without_log(path):
            raise
    return _opened_to_read(url, sqlite_files.TO_READ_WHAT_CANNOT_CHANGE, alone)


def _opened_to_read(url: URL, mode: str, alone: bool) -> tuple[Engine, _Still | None]:
    path = Path(str(url.database))
    still = _Still(path) if mode == sqlite_files.TO_READ_WHAT_CANNOT_CHANGE else None
    engine = _engine(url, lambda: sqlite_files.connect(path, mode), begin="BEGIN")
    guarded(engine, lambda: _check(engine, url, alone), url)
    return engine, still


class _Still:
    """The file of a store that we may not write to, as it was when a reader opened it.

    Nothing can be locked there, so whether it changed while it was read can only be seen afterwards.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = self._state()

    def check(self) -> None:
        if self._state() != self._before:
            raise StoreError(
                f"{self._path} was changed while it was read, so what was read may be mixed. "
                "Run the same command again."
            )

    def _state(self) -> tuple[int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size


def _check(engine: Engine, url: URL, alone: bool) -> None:
    if url.get_backend_name() == "sqlite":
        _refuse_foreign_objects(engine, url)
    with engine.connect() as conn:
        try:
            older = check_readable(conn, shown(url)) < SCHEMA_VERSION
        except NotAStoreError as error:
            if alone and not inspect(conn).get_table_names():
                raise _copied(shown(url)) from error
            raise
        statements = stand_ins(conn) if older else []
    if older:
        event.listen(engine, "connect", lambda driver, _: _stand_in(driver, statements))
        engine.dispose()  # what is connected already lacks them


def _copied(path: str) -> NotAStoreError:
    return NotAStoreError(
        f"{path} holds no lineage, and {path}-wal, where a run that is going on keeps its newest rows, is not beside "
        "it; nothing was read.\nWas the file copied alone? Copy the -wal with it, or make the copy when the run is "
        "over, or with SQLite's own: sqlite3 evolve.db '.backup copy.db'."
    )


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


def connect_postgres(url: URL, **options: Any) -> Engine:
    """Make an engine for PostgreSQL; nothing is connected yet.

    Raises:
        StoreError: The psycopg package is missing; the message names what to install.
    """
    try:
        return create_engine(url, **_json(), pool_pre_ping=True, **options)
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
    advice = "Make sure that the server runs, and that host, port, database, user and password are right."
    if sqlite:
        advice = "Make sure that it is a file you may read and write, or name another with --store."
        if (way := way_on(error)) != MEND:
            advice = way
    return StoreError(
        f"the store {shown(url)} cannot be opened ({cause_of(error)}); nothing was written.\n{advice}"
    )
