"""One process works on a run at a time: two would pay for the same calls."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from evolver_store.connect import connect_postgres, guarded, shown
from evolver_store.errors import RunBusyError, StoreError

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(url: URL, run: str) -> Iterator[None]:
    """Hold a run for this process while the block works; the claim ends with the process, however that ends.

    Claims on SQLite stores are files in the system's temporary folder, so they hold for one user of one machine;
    those on PostgreSQL are advisory locks of the server.

    Args:
        url: The store, which need not exist yet.
        run: The run's name.

    Raises:
        RunBusyError: Another process holds it.
        StoreError: The server cannot be reached, or the file cannot be made.
    """
    if url.get_backend_name() == "sqlite":
        with _file_lock(Path(str(url.database)).resolve(), run):
            yield
    else:
        with _advisory_lock(url, run):
            yield


def _busy(database: str, run: str) -> RunBusyError:
    return RunBusyError(
        f"another process is working on the run {run!r} in {database}; nothing was started.\n"
        "Wait for it, stop it, or give this one a name of its own with --run."
    )


@contextmanager
def _file_lock(database: Path, run: str) -> Iterator[None]:
    if sys.platform == "win32":  # no flock there, so nothing keeps two processes apart
        yield
        return
    digest = blake2b(f"{database}\0{run}".encode(), digest_size=12).hexdigest()
    # The user is in the name: in a folder that all share, nobody may open the file of somebody else.
    # The file is left there: unlinking it would let two processes lock two files of one name.
    path = Path(tempfile.gettempdir()) / f"evolver-{os.getuid()}-{digest}.lock"
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(str(database), run) from error
        except OSError as error:
            raise StoreError(
                f"the run {run!r} cannot be claimed: {path} cannot be locked ({error.strerror}); nothing was "
                "started.\nRemove that file, or set TMPDIR to a folder you may write to."
            ) from error
        yield


@contextmanager
def _advisory_lock(url: URL, run: str) -> Iterator[None]:
    key = int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big", signed=True)
    engine = connect_postgres(url, isolation_level="AUTOCOMMIT")
    try:
        conn, free = guarded(engine, lambda: _try_lock(engine, key), url)
        with conn:
            if not free:
                raise _busy(shown(url), run)
            try:
                yield
            finally:
                with contextlib.suppress(SQLAlchemyError):  # the server may be gone, and the lock with it
                    conn.execute(select(func.pg_advisory_unlock(key)))
    finally:
        engine.dispose()


def _try_lock(engine: Engine, key: int) -> tuple[Connection, bool]:
    conn = engine.connect()
    try:
        return conn, bool(conn.execute(select(func.pg_try_advisory_lock(key))).scalar())
    except BaseException:
        conn.close()
        raise
