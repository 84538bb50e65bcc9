"""Questions in SQL by users, answered by a database that itself refuses everything but reading.

SQLite: the file is opened read-only, an authorizer allows SELECT and nothing else (no ATTACH, no PRAGMA that sets
anything, no temporary tables, no end of the transaction), and a progress handler keeps the time.
PostgreSQL: one statement, declared as a cursor in a READ ONLY transaction; that takes a snapshot before anything of
the query runs, after which the server lets nobody make it writable. ``statement_timeout`` keeps the time.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from evolver_store.connect import Store, reading
from evolver_store.errors import QueryError
from evolver_store.schema import migrations

DEFAULT_TIMEOUT = 30.0  # seconds
_SLICE = 1_000  # rows fetched at a time
_STEPS = 20_000  # of SQLite's virtual machine, well under a millisecond, between two looks at the clock
_LONGEST_VALUE = 256 << 20  # bytes of one value that SQLite may build

_ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_ALLOWED_PRAGMAS = {
    "compile_options",
    "database_list",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
}
_TABLE_FUNCTIONS = ("json_each", "json_tree", "pragma_table_info")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query returned: the names of its columns, and its rows, fetched while they are read."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def asking(
    store: Store, sql: str, params: Mapping[str, Any] | None = None, *, timeout: float = DEFAULT_TIMEOUT
) -> Iterator[Answer]:
    """Ask one question; its rows can be read inside the ``with`` block.

    Args:
        store: A path or URL of a store; it is not created, migrated or changed.
        sql: One SELECT (or WITH … SELECT, or VALUES).
        params: Values for ``:name`` in ``sql``; without them colons mean nothing.
        timeout: Seconds that the database may work on it; the time a reader takes over the rows does not count.

    Raises:
        QueryError: It is wrong (the message shows the tables and their columns), tries to write, or takes
            too long; raised while rows are read as well.
        StoreError: The store cannot be read.
    """
    if "\0" in sql or not _is_text(sql):
        raise QueryError(
            "the query holds bytes that are no text; nothing was read. Give one SELECT in UTF-8."
        )
    with reading(store) as engine:
        clock = _Clock(timeout)
        guard = _SqliteGuard(clock) if engine.dialect.name == "sqlite" else _PostgresGuard(clock)
        with engine.connect() as conn, _told(engine, guard), guard.on(conn):
            with guard.slice(conn):
                result = _execute(conn, sql, params)
            if not result.returns_rows:
                raise QueryError("that asks for nothing; nothing was read. Give one SELECT.")
            try:
                yield Answer(tuple(result.keys()), _fetch(conn, result, guard))
            finally:
                result.close()


def tables(conn: Connection) -> dict[str, list[str]]:
    """Return the columns of every table and view that users may build on."""
    there = inspect(conn)
    names = sorted(set(there.get_table_names()) - {migrations.name}) + sorted(there.get_view_names())
    return {name: [column["name"] for column in there.get_columns(name)] for name in names}


def _is_text(sql: str) -> bool:
    """Tell whether a text can be encoded: bytes of a command line that are not UTF-8 come as lone surrogates."""
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return True


def _execute(conn: Connection, sql: str, params: Mapping[str, Any] | None) -> CursorResult[Any]:
    if params is not None:
        return conn.execute(text(sql), params, execution_options={"yield_per": _SLICE})
    return conn.exec_driver_sql(sql, execution_options={"yield_per": _SLICE, "no_parameters": True})


def _fetch(conn: Connection, result: CursorResult[Any], guard: _Guard) -> Iterator[tuple[Any, ...]]:
    while True:
        with guard.slice(conn):
            rows = result.fetchmany(_SLICE)
        if not rows:
            return
        for row in rows:
            yield tuple(row)


class _Clock:
    """A time limit that counts only while the database works."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.left = limit
        self._end = math.inf

    @contextmanager
    def running(self) -> Iterator[None]:
        self._end = time.monotonic() + self.left
        try:
            yield
        finally:
            self.left = self._end - time.monotonic()
            self._end = math.inf

    def is_over(self) -> bool:
        return time.monotonic() > self._end


class _SqliteGuard:
    """Lets SQLite read, and nothing else, until the time is over."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock
        self._refused = False

    @contextmanager
    def on(self, conn: Connection) -> Iterator[None]:
        """Guard a connection whose transaction has begun."""
        conn.begin()
        driver: Any = conn.connection.driver_connection
        for function in _TABLE_FUNCTIONS:  # their first use declares a table inside, which would be refused
            with suppress(sqlite3.OperationalError):  # some builds leave out JSON
                driver.execute(f"SELECT 1 FROM {function}('[]')").close()  # noqa: S608 - names of our own
        driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        driver.set_progress_handler(self.clock.is_over, _STEPS)
        driver.set_authorizer(self._authorize)
        try:
            yield
        finally:
            driver.set_authorizer(None)  # or the end of the transaction would be refused, too
            driver.set_progress_handler(None, 0)

    @contextmanager
    def slice(self, conn: Connection) -> Iterator[None]:
        """Let the clock run."""
        with self.clock.running():
            yield

    def _authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_PRAGMA:
            allowed = (first or "").lower() in _ALLOWED_PRAGMAS
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = second != "load_extension"
        else:
            allowed = action in _ALLOWED
        self._refused |= not allowed
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def kind(self, cause: BaseException) -> str:
        """Tell what stopped the database: ``time``, ``write``, ``mistake`` or ``other``."""
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_INTERRUPT:
            return "time"
        if self._refused or code & 0xFF == sqlite3.SQLITE_READONLY:
            return "write"
        return "mistake" if code == sqlite3.SQLITE_ERROR else "other"


class _PostgresGuard:
    """Lets PostgreSQL read, and nothing else, until the time is over."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock

    @contextmanager
    def on(self, conn: Connection) -> Iterator[None]:
        """Do nothing: the engine begins READ ONLY, and a cursor's snapshot, taken before it runs, seals that."""
        yield

    @contextmanager
    def slice(self, conn: Connection) -> Iterator[None]:
        """Give the next statement the time that is left, anew each time: a query may have changed the setting."""
        milliseconds = max(1, int(self.clock.left * 1000))
        conn.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        with self.clock.running():
            yield

    def kind(self, cause: BaseException) -> str:
        """Tell what stopped the database: ``time``, ``write``, ``mistake`` or ``other``."""
        state = getattr(cause, "sqlstate", None) or ""
        named = {"57014": "time", "25006": "write"}.get(state)
        return named or ("mistake" if state.startswith("42") else "other")


_Guard = _SqliteGuard | _PostgresGuard


@contextmanager
def _told(engine: Engine, guard: _Guard) -> Iterator[None]:
    """Turn what the database says of a query into a sentence for whoever wrote it."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, sqlite3.Warning) as error:
        cause = getattr(error, "orig", None) or error
        said = str(cause).strip().splitlines()[0].rstrip(".")
        kind = guard.kind(cause)
        if kind == "time":
            raise QueryError(
                f"the query took longer than {guard.clock.limit:g} s and was stopped; what was shown, if anything, "
                "is not all. Ask for less, or give it longer with --timeout."
            ) from error
        if kind == "write":
            raise QueryError(
                f"a query can only read, and the database refused this one ({said}); nothing was changed. "
                "Give one SELECT."
            ) from error
        if kind == "mistake":
            raise QueryError(f"{said}; nothing was read. There are:\n{_listing(engine)}") from error
        raise QueryError(f"the database stopped at the query ({said}); nothing was changed.") from error


def _listing(engine: Engine) -> str:
    with engine.connect() as conn:
        return "\n".join(f"  {name} ({', '.join(columns)})" for name, columns in tables(conn).items())
