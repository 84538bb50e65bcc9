"""One process works on a run at a time: two would pay for the same calls.

A claim on a SQLite store is a lock on a small file beside it, so that it holds for every process that has the folder,
whichever machine's or container's temporary folder is whose. The lock ends with the process, however that ends; a
file that was left is no claim. On PostgreSQL a claim is an advisory lock, held by a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL

from evolver_store.connect import shown
from evolver_store.errors import RunBusyError


class Claim(Protocol):
    """A run that is this process's own for now."""

    def renew(self) -> None:
        """Make sure that the run is still this process's own, and take it again where a server let go of it.

        Raises:
            RunBusyError: Another process has taken it meanwhile.
            SQLAlchemyError: The server cannot be reached.
        """

    def check(self) -> None:
        """Cost nothing, and tell what was seen by the last sign of life.

        Raises:
            RunBusyError: Another process has taken the run.
        """


@contextmanager
def claimed(url: URL, run: str) -> Iterator[Claim]:
    """Hold a run for this process while the block works; the claim ends with the process, however that ends.

    Args:
        url: The store, which need not exist yet.
        run: The run's name.

    Raises:
        RunBusyError: Another process holds it.
        StoreError: The server cannot be reached, or the file cannot be made.
    """
    if url.get_backend_name() == "sqlite":
        from evolver_store.file_claim import file_claim

        with file_claim(store_file(url), run, _busy(url, run)) as claim:
            yield claim
    else:
        from evolver_store.server_claim import server_claim

        with server_claim(url, run, _busy(url, run)) as claim:
            yield claim


def is_claimed(url: URL, run: str) -> bool:
    """Tell whether a process works on a run now; nothing is claimed, made or changed by asking.

    A run whose row says ``running`` and that nobody has claimed was interrupted.

    Raises:
        StoreError: The server cannot be reached.
    """
    if url.get_backend_name() == "sqlite":
        from evolver_store.file_claim import is_locked

        return is_locked(store_file(url), run)
    from evolver_store.server_claim import is_held

    return is_held(url, run)


def store_file(url: URL) -> Path:
    """Return the file of a SQLite store."""
    return Path(str(url.database)).resolve()


def _busy(url: URL, run: str) -> RunBusyError:
    return RunBusyError(
        f"another process is working on the run {run!r} in {shown(url)}; nothing was started.\n"
        "Wait for it, stop it, or give this one a name of its own with --run."
    )
