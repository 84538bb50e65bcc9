"""Questions in SQL by users, answered by a database that itself refuses everything but reading.

SQLite: the connection refuses writes, an authorizer allows SELECT and harmless functions and nothing else (no ATTACH,
no PRAGMA that sets anything, no temporary tables, no end of the transaction), and a progress handler keeps the time.
All rows are fetched before the first is handed out, into a file where they are many: a reader who takes his time over
them keeps no transaction open, which would keep a run's log growing.
PostgreSQL: one statement, declared as a cursor in a READ ONLY transaction; that takes a snapshot before anything of
the query runs, after which the server lets nobody make it writable. ``statement_timeout`` keeps the time.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, Row, inspect, text
from sqlalchemy.exc import DBAPIError

from evolver_store.connect import Store, reading
from evolver_store.errors import QueryError
from evolver_store.functions import ALLOWED, LONGEST_VALUE, hold_functions_in
from evolver_store.saying import cause_of
from evolver_store.schema import migrations
from evolver_store.spool import Spool
from evolver_store.sqlite_files import let_ctrl_c_through
from evolver_store.storable import storable

DEFAULT_TIMEOUT = 30.0  # seconds
_SLICE, _SLICE_BYTES = 1_000, 16 << 20  # rows fetched at a time, and about what they may weigh
_MOST_BYTES = 2 << 30  # of all rows of an answer
_MOST_MEMORY = 1 << 30  # bytes that SQLite may take to sort and to join
_STEPS = 20_000  # of SQLite's virtual machine, well under a millisecond, between two looks at the clock

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
    """What a query returned: the names of its columns, and its rows, to be read once."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


@contextmanager
def asking(
    store: Store,
    sql: str,
    params: Mapping[str, Any] | None = None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    most: int | None = None,
) -> Iterator[Answer]:
    """Ask one question; its rows can be read inside the ``with`` block, by when the database is done with it.

    Args:
        store: A path or URL of a store; it is not created, migrated or changed.
        sql: One SELECT (or WITH … SELECT, or VALUES).
        params: Values for ``:name`` in ``sql``; without them colons mean nothing.
        timeout: Seconds that the database may work on it.
        most: Rows that are wanted; the rest is not fetched.

    Raises:
        QueryError: It is wrong (the message shows the tables and their columns), tries to write, takes too long, or
            returns more than 2 GiB in all, or on SQLite more than 64 MiB in a row.
        StoreError: The store cannot be read.
    """
    if "\0" in sql or not storable(sql):
        raise QueryError(
            "the query holds bytes that are no text; nothing was read. Give one SELECT in UTF-8."
        )
    with Spool() as spool:
        with reading(store) as engine:
            columns = _ask(engine, sql, params, _Clock(timeout), spool, most)
        yield Answer(columns, iter(spool))


def _ask(
    engine: Engine,
    sql: str,
    params: Mapping[str, Any] | None,
    clock: _Clock,
    spool: Spool,
    most: int | None,
) -> tuple[str, ...]:
    """Put all rows into the spool, and return the names of their columns."""
    guard = _SqliteGuard(clock) if engine.dialect.name == "sqlite" else _PostgresGuard(clock)
    with engine.connect() as conn, _told(engine, guard), guard.on(conn):
        with guard.slice(conn):
            result = _execute(conn, sql, params)
        if not result.returns_rows:
            raise QueryError("that asks for nothing; nothing was read. Give one SELECT.")
        with closing(result):
            for rows in _slices(conn, result, guard):
                for row in rows[: None if most is None else most - spool.rows]:
                    spool.add(tuple(row))
                    if spool.size > _MOST_BYTES:
                        raise QueryError(
                            f"the answer has more than {_MOST_BYTES >> 30} GiB; nothing is shown. Ask for less, with "
                            "WHERE or LIMIT, or for a stretch of ids at a time."
                        )
                if spool.rows == most:
                    break
            return tuple(result.keys())


def tables(conn: Connection) -> dict[str, list[str]]:
    """Return the columns of every table and view that users may build on."""
    there = inspect(conn)
    names = sorted(set(there.get_table_names()) - {migrations.name}) + sorted(there.get_view_names())
    return {name: [column["name"] for column in there.get_columns(name)] for name in names}


def _execute(conn: Connection, sql: str, params: Mapping[str, Any] | None) -> CursorResult[Any]:
    # PostgreSQL would send everything at once, SQLite hands out a row at a time anyway.
    options = {"stream_results": True, "max_row_buffer": _SLICE} if conn.dialect.name != "sqlite" else {}
    if params is not None:
        return conn.execute(text(sql), params, execution_options=options)
    return conn.exec_driver_sql(sql, execution_options={**options, "no_parameters": True})


def _slices(conn: Connection, result: CursorResult[Any], guard: _Guard) -> Iterator[Sequence[Row[Any]]]:
    size = 1  # what a row weighs is not known before; a slice of heavy ones would be too much to hold
    while True:
        with guard.slice(conn):
            rows = result.fetchmany(size)
        if not rows:
            return
        yield rows
        heaviest = max(sum(len(value) for value in row if isinstance(value, str | bytes)) for row in rows)
        size = min(_SLICE, 4 * size, max(1, _SLICE_BYTES // max(1, heaviest)))


class _Clock:
    """A time limit that counts only while the database works."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.left = limit
        self._end = math.inf
        self.was_over = False

    @contextmanager
    def running(self) -> Iterator[None]:
        self._end = time.monotonic() + self.left
        try:
            yield
        finally:
            self.left = self._end - time.monotonic()
            self._end = math.inf

    def is_over(self) -> bool:
        self.was_over = time.monotonic() > self._end
        return self.was_over


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
        hold_functions_in(driver)
        driver.execute("PRAGMA temp_store=MEMORY")
        driver.execute(f"PRAGMA hard_heap_limit={_MOST_MEMORY}")
        driver.set_progress_handler(self.clock.is_over, _STEPS)
        driver.set_authorizer(self._authorize)
        try:
            yield
        finally:
            driver.set_authorizer(None)  # or the end of the transaction would be refused, too
            let_ctrl_c_through(driver)

    @contextmanager
    def slice(self, conn: Connection) -> Iterator[None]:
        """Let the clock run."""
        with self.clock.running():
            yield

    def _authorize(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_PRAGMA:
            allowed = (first or "").lower() in _ALLOWED_PRAGMAS
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = (second or "").lower() in ALLOWED
        else:
            allowed = action in _ALLOWED
        self._refused |= not allowed
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def kind(self, cause: BaseException) -> str:
        """Tell what stopped the database: ``time``, ``write``, ``size``, ``interrupt``, ``mistake`` or ``other``."""
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code == sqlite3.SQLITE_INTERRUPT:
            return "time" if self.clock.was_over else "interrupt"
        if (
            isinstance(cause, MemoryError)
            or code == sqlite3.SQLITE_TOOBIG
            or "raised exception" in str(cause)
        ):
            return "size"
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
    except (DBAPIError, sqlite3.Error, sqlite3.Warning, MemoryError) as error:
        cause = getattr(error, "orig", None) or error
        said = cause_of(error)
        kind = guard.kind(cause)
        if kind == "time":
            raise QueryError(
                f"the query took longer than {guard.clock.limit:g} s and was stopped; nothing is shown. "
                "Ask for less, or give it longer with --timeout."
            ) from error
        if kind == "interrupt":
            raise KeyboardInterrupt from error
        if kind == "size":
            raise QueryError(
                f"the query builds a value or row of more than {LONGEST_VALUE >> 20} MiB, or takes more than "
                f"{_MOST_MEMORY >> 30} GiB of memory; nothing is shown. Ask for less, as with substr(…)."
            ) from error
        if kind == "write":
            raise QueryError(
                "a query can only read, with functions that are known to be harmless, and the database refused this "
                f"one ({said}); nothing was changed. Give one SELECT."
            ) from error
        if kind == "mistake":
            raise QueryError(f"{said}; nothing was read. There are:\n{_listing(engine)}") from error
        raise QueryError(f"the database stopped at the query ({said}); nothing was changed.") from error


def _listing(engine: Engine) -> str:
    with engine.connect() as conn:
        return "\n".join(f"  {name} ({', '.join(columns)})" for name, columns in tables(conn).items())
