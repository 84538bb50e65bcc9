"""Values in a SQLite store that evolver never writes: looked for when reading one came to nothing.

SQLite keeps whatever it is given in any column. What reads a store trusts the schema, as looking at every value first
would cost more than reading; so whatever goes wrong is looked into afterwards, and told as what it is.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Float, Integer, Text

from evolver_store import sqlite_files
from evolver_store.errors import EvolverError, NotAStoreError
from evolver_store.schema import metadata


class _Text(bytes):
    """A text as it stands in the file, so that one that is none can be told."""


_OBJECTS = frozenset({"settings", "details"})


@contextmanager
def stating_odd_values(database: Path) -> Iterator[None]:
    """Let an error that a value of the store may have brought about be told as that value.

    Raises:
        NotAStoreError: There is such a value. Any other error is raised as it is.
    """
    try:
        yield
    except EvolverError:
        raise
    except Exception as error:
        code = getattr(getattr(error, "orig", None), "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        if code != sqlite3.SQLITE_ERROR or (odd := odd_value(database)) is None:
            raise
        raise NotAStoreError(
            f"{database} holds {odd}, which evolver did not write; nothing more was read.\n"
            "Mend it with SQLite's own shell, or name another file with --store."
        ) from error


def odd_value(database: Path) -> str | None:
    """Return what is odd in a store, the first of it; ``None`` if nothing is, or it cannot be looked at."""
    try:
        with closing(sqlite_files.connect(database, sqlite_files.way_to_read(database))) as conn:
            there = {name for (name,) in conn.execute("SELECT name FROM main.sqlite_master")}
            for table in metadata.sorted_tables:
                if table.name in there:
                    conn.text_factory = str
                    known = {row[1] for row in conn.execute(f"PRAGMA table_info({table.name})")}
                    conn.text_factory = _Text
                    columns = [column for column in table.columns if column.name in known]
                    if (found := _odd_in(conn, table.name, columns)) is not None:
                        return found
    except sqlite3.Error:
        return None
    return None


def _odd_in(conn: sqlite3.Connection, table: str, columns: list[Column[Any]]) -> str | None:
    names = ", ".join(f'"{column.name}"' for column in columns)
    # Names of our own schema.
    for row, *values in conn.execute(f"SELECT rowid, {names} FROM {table}"):  # noqa: S608
        for column, value in zip(columns, values, strict=True):
            if (what := _odd(column, value)) is not None:
                return f"{what} as {table}.{column.name} of row {row}"
    return None


def _odd(column: Column[Any], value: Any) -> str | None:
    kind = column.type
    if value is None:
        return None
    if isinstance(kind, Integer):
        return None if isinstance(value, int) else f"a {_named(value)}"
    if isinstance(kind, Float):
        return None if isinstance(value, int | float) and math.isfinite(value) else f"a {_named(value)}"
    if not isinstance(value, _Text):
        return f"a {_named(value)}"
    if isinstance(kind, DateTime | JSON | Text):
        return _odd_text(column, value)
    return None


def _odd_text(column: Column[Any], value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return "bytes that are no text"
    try:
        if isinstance(column.type, DateTime):
            datetime.fromisoformat(text)
        elif isinstance(column.type, JSON):
            content = json.loads(text)
            if column.name in _OBJECTS and not isinstance(content, dict):
                return "JSON that is no object"
    except RecursionError:
        return "JSON of too many layers"
    except ValueError:
        return "a text that is none of its kind"
    return None


def _named(value: object) -> str:
    names = {int: "whole number", float: "number", bytes: "string of bytes", _Text: "text"}
    return names.get(type(value), type(value).__name__)
