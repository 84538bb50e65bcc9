"""A store that another program has locked, or whose disk is full: waited for, read all the same, said as it is."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from evolver_store import sqlite_files
from evolver_store.connect import open_for_writing, reading
from evolver_store.errors import StoreError
from evolver_store.link import Link
from evolver_store.saying import way_on

if sys.platform != "win32":
    import resource


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "evolve.db"
    open_for_writing(path).dispose()
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite itself not wait for a lock at all, so that no time need pass."""
    monkeypatch.setattr(sqlite_files, "_BUSY_MS", 0)


@pytest.mark.usefixtures("impatient")
def test_a_lock_that_outlasts_sqlites_own_patience_is_waited_for(store: Path) -> None:
    engine = open_for_writing(store)
    refused = threading.Event()
    event.listen(engine, "handle_error", lambda context: refused.set())
    link, done = Link(engine), threading.Event()

    def write() -> None:
        link.transact(lambda conn: conn.execute(text("UPDATE runs SET status = status")))
        done.set()

    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = threading.Thread(target=write)
        writing.start()
        assert refused.wait(60)
        assert not done.is_set()
        other.execute("ROLLBACK")
    writing.join(60)
    assert done.is_set()
    link.close()
    engine.dispose()


@pytest.mark.usefixtures("impatient")
def test_a_lock_is_given_up_when_the_patience_ends(store: Path) -> None:
    engine = open_for_writing(store)
    link = Link(engine, patience=0.0)
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            link.transact(lambda conn: None)
        other.execute("ROLLBACK")
    link.close()
    engine.dispose()


@pytest.mark.usefixtures("impatient")
def test_a_store_that_is_locked_is_said_to_be_locked_by_another_program(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with (
            pytest.raises(StoreError, match=r"database is locked.*\nAnother program holds the file locked"),
            reading(store),
        ):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_store_is_read_where_there_is_no_room_for_a_log_beside_it(store: Path) -> None:
    """No file may grow: as on a full disk, SQLite can make neither a log nor its index."""
    read = "import sys; sys.argv[0] = 'evolve'; from evolver.cli.main import run; run()"
    query = ["sql", "SELECT COUNT(*) AS number FROM runs", "--store", str(store), "--json"]
    for _ in range(2):  # what the first leaves beside it must not be in the way of the second
        done = subprocess.run(
            [sys.executable, "-c", read, *query],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        )
        assert (done.returncode, done.stdout) == (0, '{"number": 0}\n'), done.stderr


def test_a_full_disk_is_said_to_want_room_and_a_server_that_went_to_be_started(tmp_path: Path) -> None:
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    assert way_on(full).startswith("Make room on its disk")

    engine = create_engine(f"postgresql+psycopg://me@/none?host={tmp_path}")
    with pytest.raises(OperationalError) as gone:
        engine.connect()
    assert way_on(gone.value).startswith("Start the server again")
