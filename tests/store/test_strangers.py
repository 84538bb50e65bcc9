"""Two users in one folder: what a stranger puts under our names is neither followed, nor waited for, nor filled."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from evolver.cli.log import open_log
from evolver.errors import OutputError
from evolver.merge.output import replacing
from evolver_store.connect import open_for_writing, reading
from evolver_store.errors import StoreError

NOBODY = 65534
pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can make the files of others"
)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder as /tmp is, in a place where a file of ours lies beside it."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    (tmp_path / "ours").write_text("ours alone", encoding="utf-8")
    (tmp_path / "ours").chmod(0o600)
    return folder


def a_link(path: Path) -> None:
    path.symlink_to(path.parent.parent / "ours")
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)
    os.chown(path, NOBODY, NOBODY)


def a_second_name(path: Path) -> None:
    path.hardlink_to(path.parent.parent / "ours")


def a_file(path: Path) -> None:
    path.write_bytes(b"")
    path.chmod(0o666)
    os.chown(path, NOBODY, NOBODY)


TRAPS: tuple[Callable[[Path], None], ...] = (a_link, a_pipe, a_second_name, a_file)
traps = pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.__name__)
UNDER = ("", "-wal", "-shm", "-journal")


def untouched(shared: Path, path: Path) -> bool:
    """Tell whether neither our file nor the stranger's was written to or given another mode."""
    ours = shared.parent / "ours"
    kept = ours.read_text(encoding="utf-8") == "ours alone" and stat.S_IMODE(ours.stat().st_mode) == 0o600
    state = path.lstat()
    return kept and (not stat.S_ISREG(state.st_mode) or state.st_nlink > 1 or state.st_size == 0)


@traps
@pytest.mark.parametrize("ending", UNDER)
def test_a_store_is_not_made_or_opened_where_a_stranger_has_put_something(
    shared: Path, trap: Callable[[Path], None], ending: str
) -> None:
    store = shared / "e.db"
    if ending:
        open_for_writing(store).dispose()
        (shared / f"e.db{ending}").unlink(missing_ok=True)
    trap(shared / f"e.db{ending}")
    before = store.read_bytes() if ending else b""
    with pytest.raises(StoreError, match=r"another user|another name"):
        open_for_writing(store)
    assert untouched(shared, shared / f"e.db{ending}")
    assert not ending or store.read_bytes() == before


@traps
@pytest.mark.parametrize("ending", UNDER[1:])
def test_a_store_is_not_read_with_a_log_that_a_stranger_has_put_beside_it(
    shared: Path, trap: Callable[[Path], None], ending: str
) -> None:
    open_for_writing(shared / "e.db").dispose()
    (shared / f"e.db{ending}").unlink(missing_ok=True)
    trap(shared / f"e.db{ending}")
    with pytest.raises(StoreError, match=r"another user|another name"), reading(shared / "e.db"):
        pass
    assert untouched(shared, shared / f"e.db{ending}")


def test_a_store_that_another_user_made_is_read_and_not_written(shared: Path) -> None:
    store = shared / "e.db"
    open_for_writing(store).dispose()
    os.chown(store, NOBODY, NOBODY)
    before = store.read_bytes()
    with reading(store) as engine, engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT COUNT(*) FROM runs").scalar_one() == 0
    with pytest.raises(StoreError, match="belongs to another user"):
        open_for_writing(store)
    assert store.read_bytes() == before


def test_a_group_that_shares_a_folder_shares_its_stores(tmp_path: Path) -> None:
    shared = tmp_path / "team"
    shared.mkdir()
    os.chown(shared, NOBODY, 0)
    shared.chmod(0o2770)
    open_for_writing(shared / "e.db").dispose()
    os.chown(shared / "e.db", NOBODY, 0)
    (shared / "e.db").chmod(0o660)
    open_for_writing(shared / "e.db").dispose()


@traps
def test_a_log_is_not_written_where_a_stranger_has_put_something(
    shared: Path, trap: Callable[[Path], None]
) -> None:
    trap(shared / "log")
    with pytest.raises(OutputError, match=r"another user|another name"), open_log(1, str(shared / "log")):
        pass
    assert untouched(shared, shared / "log")


def test_a_pipe_of_ones_own_that_nobody_reads_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    with pytest.raises(OutputError, match="cannot be written"), open_log(1, str(tmp_path / "log")):
        pass


@traps
def test_an_output_leaves_alone_what_a_stranger_has_put_there(
    shared: Path, trap: Callable[[Path], None]
) -> None:
    output = shared / "out.jsonl"
    trap(output)
    refused = pytest.raises(OutputError, match="another user") if trap is a_link else nullcontext()
    with refused, replacing(output) as file:
        file.write(b"{}\n")
    if trap is a_link:
        assert untouched(shared, output)
    else:  # a new file has taken the place of what was there
        assert output.read_bytes() == b"{}\n"
        assert output.lstat().st_uid == os.geteuid()
    assert (shared.parent / "ours").read_text(encoding="utf-8") == "ours alone"
    assert not [path for path in shared.iterdir() if path.suffix == ".part"]


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_a_run_makes_in_a_shared_folder_is_as_the_umask_says_and_logs_are_ours_alone(
    shared: Path, mask: int
) -> None:
    (shared / "pool.txt").write_text("Name three uses of a brick.\n", encoding="utf-8")
    args = ("--pool", "pool.txt", "--epochs", "1", "--quiet", "--log", "log", "--answer-seeds", "all")
    command = [sys.executable, "-c", "from evolver.cli.main import run; run()", *args]
    subprocess.run(command, cwd=shared, umask=mask, check=True, timeout=100)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in shared.iterdir()}
    assert modes["log"] == 0o600
    assert modes["evolve.db"] & ~(0o644 & ~mask) == 0
    assert modes["evolved.jsonl"] & ~(0o666 & ~mask) == 0
    assert modes.keys() == {"pool.txt", "log", "evolve.db", "evolved.jsonl"}


def test_what_sqlite_makes_beside_a_store_has_the_mode_of_the_store(tmp_path: Path) -> None:
    store = tmp_path / "e.db"
    open_for_writing(store).dispose()
    store.chmod(0o600)
    with closing(sqlite3.connect(store)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("CREATE TABLE IF NOT EXISTS mine (x)")
        conn.commit()
        beside = [path for path in tmp_path.iterdir() if path.name.startswith("e.db-")]
        assert beside
        assert {stat.S_IMODE(path.stat().st_mode) for path in beside} == {0o600}
