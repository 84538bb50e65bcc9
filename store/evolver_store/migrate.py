"""Bring a database to the schema this program knows.

Each migration and the row that records it share one transaction, so a database is never between two versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, inspect, select

from evolver_store.errors import NewerStoreError, NotAStoreError
from evolver_store.migrations import m0001_lineage, m0002_batches, m0003_spent, m0004_reasoning
from evolver_store.schema import migrations

MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    m0001_lineage.upgrade,
    m0002_batches.upgrade,
    m0003_spent.upgrade,
    m0004_reasoning.upgrade,
)
SCHEMA_VERSION = len(MIGRATIONS)
_LOCK = 0x65766F6C  # any constant: PostgreSQL's advisory lock while migrating


def schema_version(conn: Connection) -> int | None:
    """Return the version a database is at, or ``None`` where it is no store."""
    if not inspect(conn).has_table(migrations.name):
        return None
    versions = conn.execute(select(migrations.c.version)).scalars().all()
    return max(versions, default=0)


def check_readable(conn: Connection, database: str) -> int:
    """Make sure that a database can be read as a store, and return the version of its schema, which may be older.

    Raises:
        NotAStoreError: It holds no store.
        NewerStoreError: It was written by a newer evolver.
    """
    version = schema_version(conn)
    if version is None:
        raise NotAStoreError(
            f"{database} is no evolver store: it has no lineage in it; nothing was read.\n"
            "Name the store of a run with --store."
        )
    _refuse_newer(version, database)
    return version


def migrate(engine: Engine, database: str) -> None:
    """Apply the migrations that a database lacks.

    Raises:
        NewerStoreError: It was written by a newer evolver; nothing was changed.
        NotAStoreError: It holds other tables and no lineage; nothing was changed.
    """
    with engine.begin() as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        version = schema_version(conn)
        if version is None:
            _refuse_foreign(conn, database)
            migrations.create(conn)
            version = 0
    _refuse_newer(version, database)
    for number in range(version + 1, SCHEMA_VERSION + 1):
        _apply(engine, number)


def _apply(engine: Engine, number: int) -> None:
    with engine.connect() as conn, _foreign_keys_at_rest(conn), conn.begin():
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if (schema_version(conn) or 0) >= number:
            return  # another process was quicker
        MIGRATIONS[number - 1](conn)
        conn.execute(insert(migrations), [{"version": number, "applied_at": datetime.now(UTC)}])


@contextmanager
def _foreign_keys_at_rest(conn: Connection) -> Iterator[None]:
    """Let SQLite put a new table in an old one's place: with foreign keys on, the rows that point there would stop it.

    SQLite ignores the setting inside a transaction, so the driver is told before one begins.
    """
    driver: Any = conn.connection.driver_connection
    if conn.dialect.name != "sqlite":
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _refuse_newer(version: int, database: str) -> None:
    if version > SCHEMA_VERSION:
        raise NewerStoreError(
            f"{database} has schema {version}, newer than the {SCHEMA_VERSION} this evolver knows; nothing was "
            "read or written.\nUpgrade evolver (pip install --upgrade evolver) or name another --store."
        )


def _refuse_foreign(conn: Connection, database: str) -> None:
    tables = set(inspect(conn).get_table_names())
    clash = tables if conn.dialect.name == "sqlite" else tables & {"runs", "instructions", "calls"}
    if clash:
        raise NotAStoreError(
            f"{database} holds other tables ({', '.join(sorted(clash)[:3])}) and no lineage; nothing was written.\n"
            "Name a new file, or an empty database, with --store."
        )
