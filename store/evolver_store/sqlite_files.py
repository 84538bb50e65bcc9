"""SQLite stores as files: how they are opened to write and to read, and what may be in them."""

from __future__ import annotations

import os
import sqlite3
from functools import cache
from pathlib import Path
from urllib.parse import quote

from evolver_store.errors import NotAStoreError
from evolver_store.migrations import m0001_lineage
from evolver_store.schema import migrations

_BUSY_MS = 30_000  # another process's transaction is at most 1,000 rows; this is patience for a slow disk
_WAL_BYTES = 64 << 20  # what a write-ahead log may keep of the disk once all of it is in the database
_STEPS = 50_000  # of SQLite's virtual machine, a millisecond or so, between two looks for Ctrl-C

TO_WRITE = "rwc"
TO_READ, TO_READ_BESIDE_A_RUN, TO_READ_WHAT_CANNOT_CHANGE = "rw", "ro", "ro&immutable=1"


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open a file; ``mode`` is one of the ways above.

    Raises:
        sqlite3.Error: It cannot be opened, or is no database.
    """
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    conn = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        _set_up(conn, mode)
    except BaseException:
        conn.close()
        raise
    return conn


def _set_up(conn: sqlite3.Connection, mode: str) -> None:
    conn.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    conn.execute("PRAGMA trusted_schema=OFF")  # what a file says of functions is not to be believed
    if mode == TO_WRITE:
        if _may_become_ours(conn):
            conn.execute("PRAGMA journal_mode=WAL")
        conn.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("PRAGMA foreign_keys=ON")
    else:
        conn.execute("PRAGMA query_only=ON")
        let_ctrl_c_through(conn)


def _may_become_ours(conn: sqlite3.Connection) -> bool:
    """A database of somebody else's is about to be refused, so it keeps the mode it has."""
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}
    return not tables or migrations.name in tables


def let_ctrl_c_through(conn: sqlite3.Connection) -> None:
    """Look for Ctrl-C while a query runs: Python hears of it only where some Python is run."""
    conn.set_progress_handler(_go_on, _STEPS)


def _go_on() -> int:
    return 0


def way_to_read(path: Path) -> str:
    """Choose how a store is read so that a snapshot holds, and nothing is left behind in its folder.

    Beside a run, or after one that was killed, its log is read and left. Otherwise SQLite makes a log for the time of
    reading, so that a run may begin meanwhile, and removes it; that takes a file and a folder that may be written to.
    """
    if Path(f"{path}-wal").exists():
        return TO_READ_BESIDE_A_RUN
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return TO_READ
    return TO_READ_WHAT_CANNOT_CHANGE


def is_whole_without_log(path: Path) -> bool:
    """Tell whether nothing stands in a store's write-ahead log; one without a byte is left where there was no room."""
    try:
        return Path(f"{path}-wal").stat().st_size == 0
    except FileNotFoundError:
        return True


def refuse_foreign_objects(conn: sqlite3.Connection, database: str) -> None:
    """Refuse a store in which somebody has put what runs by itself.

    Triggers, virtual tables, generated columns, and views other than our own are what a file can do harm with: they
    run when the store is read or written, for as long as they like.

    Raises:
        NotAStoreError: There is one; the message names it.
    """
    for kind, name, sql in conn.execute("SELECT type, name, sql FROM main.sqlite_master").fetchall():
        if (what := _foreign(kind, str(name), str(sql or ""))) or (
            kind == "table" and (what := _generated(conn, str(name)))
        ):
            raise NotAStoreError(
                f"{database} holds {what}, which evolver did not make; nothing was read or written.\n"
                "Remove it with SQLite's own shell if you know it, or name another file with --store."
            )


def _foreign(kind: str, name: str, sql: str) -> str | None:
    if kind == "trigger":
        return f"the trigger {name!r}"
    if kind == "view" and _in_one_line(sql) != _our_views().get(name):
        return f"the view {name!r}"
    if kind == "table" and sql.upper().lstrip().startswith("CREATE VIRTUAL"):
        return f"the virtual table {name!r}"
    return None


def _generated(conn: sqlite3.Connection, table: str) -> str | None:
    columns = conn.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden > 1", (table,)).fetchall()
    return f"the generated column {columns[0][0]!r} of {table!r}" if columns else None


@cache
def _our_views() -> dict[str, str]:
    return {name: _in_one_line(sql) for name, sql in m0001_lineage.views().items()}


def _in_one_line(sql: str) -> str:
    return " ".join(sql.split()).rstrip("; ")


def lacks_its_log(path: Path) -> bool:
    """Tell whether a file has a write-ahead log that is not beside it, as after a copy of the file alone."""
    if Path(f"{path}-wal").exists():
        return False
    with path.open("rb") as file:
        head = file.read(20)
    return not head or (head.startswith(b"SQLite format 3\0") and head[18:20] == b"\x02\x02")
