"""One process works on a run at a time: two would pay for the same calls."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import URL, func, select
from sqlalchemy.exc import SQLAlchemyError

from evolver_store.connect import connect_postgres, shown
from evolver_store.errors import RunBusyError

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(url: URL, run: str) -> Iterator[None]:
    """Hold a run for this process while the block works; the claim ends with the process, however that ends.

    Claims on SQLite stores are files in the system's temporary folder, so they hold on one machine; those on
    PostgreSQL are advisory locks of the server.

    Args:
        url: The store, which need not exist yet.
        run: The run's name.

    Raises:
        RunBusyError: Another process holds it.
        StoreError: The server cannot be reached.
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
    # The file is left there: unlinking it would let two processes lock two files of one name.
    with (Path(tempfile.gettempdir()) / f"evolver-{digest}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(str(database), run) from error
        yield


@contextmanager
def _advisory_lock(url: URL, run: str) -> Iterator[None]:
    key = int.from_bytes(blake2b(run.encode(), digest_size=8).digest(), "big", signed=True)
    engine = connect_postgres(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as conn:
            if not conn.execute(select(func.pg_try_advisory_lock(key))).scalar():
                raise _busy(shown(url), run)
            try:
                yield
            finally:
                with contextlib.suppress(SQLAlchemyError):  # the server may be gone, and the lock with it
                    conn.execute(select(func.pg_advisory_unlock(key)))
    finally:
        engine.dispose()
