"""What a database says when it fails, in a sentence of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
)

from evolver_store.errors import StoreError
from evolver_store.storable import made_storable

MEND = "Make room or mend the database and run the same command again."
_LOCKED = "Another program holds the file locked: wait for it or end it, and run the same command again."
_FULL = "Make room on its disk and run the same command again."
_GONE = "Start the server again, or mend the way to it, and run the same command again."

# SQLSTATEs of a server that goes, is gone or comes back; without one the connection itself failed.
_AWAY = ("08", "57P01", "57P02", "57P03", "53300", "40001", "40P01")


def cause_of(error: BaseException) -> str:
    """Return the first line of what a driver says; its type's name where it says nothing."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return made_storable(lines[0].rstrip(".")) if lines else type(cause).__name__


def is_passing(error: BaseException) -> bool:
    """Tell whether the same may well be done again over a new connection: the old one was cut, or the server restarts.

    SQLite has one such failure: another program may hold the lock for longer than SQLite itself waits.
    """
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return is_locked(error)
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError)
    return bool(state.startswith(_AWAY))


def is_locked(error: BaseException) -> bool:
    """Tell whether SQLite waited in vain for the lock that another program holds."""
    return _sqlite_code(error) == sqlite3.SQLITE_BUSY


def is_without_room(error: BaseException | None) -> bool:
    """Tell whether SQLite found no room for a file that it needs beside the store, or could not make one."""
    return error is not None and _sqlite_code(error) in {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
    }


def way_on(error: BaseException) -> str:
    """Return what is to be done before the same command goes on, in a sentence or two."""
    code = _sqlite_code(error)
    if code == sqlite3.SQLITE_BUSY:
        return _LOCKED
    if code == sqlite3.SQLITE_FULL:
        return _FULL
    return _GONE if is_passing(error) else MEND


def _sqlite_code(error: BaseException) -> int | None:
    """Return SQLite's primary result code; the extended ones tell more of the same."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_of_the_row(error: BaseException) -> bool:
    """Tell whether a row is at fault rather than the database: its type, its size, or what it points to."""
    if isinstance(error, DBAPIError):
        return isinstance(error, IntegrityError | DataError | InterfaceError | ProgrammingError)
    return isinstance(error, ValueError | TypeError | OverflowError | RecursionError | StatementError)


@contextmanager
def stated(what: str, then: str = "what was written before is safe.") -> Iterator[None]:
    """Turn what a driver or the system says inside the block into a ``StoreError``: ``what (cause); then way on``."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreError(f"{what} ({cause_of(error)}); {then} {way_on(error)}") from error
