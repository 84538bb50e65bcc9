"""Drills at the store: locked, full, restarted, cut, its writer ended."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from benchmarks.drills.command import Command, Ended
from benchmarks.drills.ground import CALLS, Ground, until
from evolver_store.connect import open_for_writing

_MIDDLE = CALLS // 3
LOCKED_FOR = 60.0
_ROWS = "SELECT COUNT(*) FROM calls"


@contextmanager
def locked(store: str, *, against_readers: bool = False) -> Iterator[None]:
    """Hold a SQLite store's lock while the block works, as another program's transaction does."""
    with closing(sqlite3.connect(store, timeout=60, isolation_level=None)) as conn:
        if against_readers:
            conn.execute("PRAGMA locking_mode=EXCLUSIVE")
            conn.execute("PRAGMA journal_mode=DELETE")
        conn.execute("BEGIN EXCLUSIVE")
        yield
        conn.execute("ROLLBACK")


def _halted(ground: Ground) -> tuple[Command, Callable[[], None]]:
    """Start the run and wait until it is about to write how it ended; return it, and what lets it go on."""
    halt = ground.folder / "halt"
    halt.mkdir()
    command = ground.start(env={"DRILL_HALT": str(halt)})
    until((halt / "at-end").exists)
    return command, (halt / "go").touch


def _judged(ground: Ground, ended: Ended) -> str:
    """See that a command either waited and finished, or stopped with a sentence; both, and the same command ends it."""
    if ended.code == 0:
        ground.stopped(ended, code=0, status="finished")
    else:
        status = ground.status()
        ground.stopped(ended, status="interrupted" if status == "interrupted" else "stopped")
    ground.finishes()
    how = "waited for, finished" if ended.code == 0 else f"“{ended.last}”"
    return f"{how} ({ended.seconds:.0f} s in all)"


def lock_at_begin(ground: Ground) -> str:
    """The lock is held when the run is to begin."""
    open_for_writing(ground.store).dispose()
    with locked(ground.store):
        command = ground.start()
        time.sleep(LOCKED_FOR)
    with command:
        ended = command.wait()
    if ended.code != 0:
        ground.note_stall()
        ground.check(
            f"exit {ended.code}, {ended.last[-200:]}", ended.code == 1 and "Traceback" not in ended.said
        )
        ground.finishes()
        return f"“{ended.last}” ({ended.seconds:.0f} s)"
    return _judged(ground, ended)


def lock_at_write(ground: Ground) -> str:
    """The lock is held in the middle of the run; answers that are paid for meanwhile must not be lost."""
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        with locked(ground.store):
            time.sleep(LOCKED_FOR)
        ended = command.wait()
    paid = ground.server.stats()["completed"]
    saw = _judged(ground, ended)
    twice = ground.paid_twice()
    ground.check(f"{twice} of {paid} answers were paid for twice", ended.code != 0 or twice == 0)
    return f"{saw}; {twice} answers paid twice"


def lock_at_end(ground: Ground) -> str:
    """The lock is held when the run writes how it ended."""
    command, go = _halted(ground)
    with command:
        with locked(ground.store):
            go()
            time.sleep(LOCKED_FOR)
        ended = command.wait()
    return _judged(ground, ended)


def lock_at_read(ground: Ground) -> str:
    """A finished run is read while a writer holds the lock, and while somebody holds it against readers as well."""
    with ground.start() as command:
        ground.stopped(command.wait(), code=0, status="finished")
    with locked(ground.store):
        began = time.monotonic()
        done = [ground.read(*words, "--store", ground.store) for words in _READING]
        beside = time.monotonic() - began
        ground.check(
            f"reading beside a writer: {[one.stderr for one in done]}",
            not any(one.returncode for one in done),
        )
    with locked(ground.store, against_readers=True):
        began = time.monotonic()
        one = ground.read("stats", "--store", ground.store)
        against = time.monotonic() - began
        ground.check(
            f"exit {one.returncode}: {one.stderr}", one.returncode == 1 and "Traceback" not in one.stderr
        )
        ground.check(f"the lock is not named: {one.stderr}", "lock" in one.stderr)
    words = " ".join(one.stderr.split())
    ground.finishes()
    many = len(_READING)
    return (
        f"{many} commands beside a writer in {beside:.1f} s; against readers after {against:.0f} s: “{words}”"
    )


_READING = (("runs",), ("stats",), ("lineage", "1/1"), ("sql", "SELECT COUNT(*) FROM calls"))


@contextmanager
def small_disk(ground: Ground) -> Iterator[Callable[[bool], None]]:
    """Put the store and the output on a disk of 32 MB; yield what fills it, or makes room again."""
    disk = ground.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "drill", str(disk)], check=True)
    ground.store, ground.output = str(disk / "e.db"), disk / "out.jsonl"
    filler = disk / "filler"

    def fill(full: bool) -> None:
        if not full:
            filler.unlink()
            return
        with open(filler, "wb", buffering=0) as file:
            size = 1 << 20
            while size >= 1:
                try:
                    file.write(b"x" * size)
                except OSError:
                    size //= 2

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def full_at_begin(ground: Ground) -> str:
    """There is no room for a new store."""
    with small_disk(ground) as fill:
        fill(True)
        with ground.start() as command:
            ended = command.wait()
        ground.check(f"exit {ended.code}: {ended.said}", ended.code == 1 and "Traceback" not in ended.said)
        ground.check("something was asked", ground.server.stats()["completed"] == 0)
        fill(False)
        ground.finishes()
    return f"“{ended.last}”, nothing was asked"


def full_at_write(ground: Ground) -> str:
    """The disk fills up in the middle of the run."""
    with small_disk(ground) as fill:
        with ground.start() as command:
            ground.until_calls(_MIDDLE)
            kept = ground.count(_ROWS)
            fill(True)
            ended = command.wait()
        reading = ground.read("stats", "--store", ground.store)
        ground.check(f"not to be read on a full disk: {reading.stderr}", reading.returncode == 0)
        ground.stopped(ended, status=ground.status() or "stopped")
        ground.check("what was written is gone", ground.count(_ROWS) >= kept)
        fill(False)
        ground.finishes()
    return f"“{ended.last}”"


def full_at_end(ground: Ground) -> str:
    """The disk is full when the run writes how it ended."""
    with small_disk(ground) as fill:
        command, go = _halted(ground)
        with command:
            fill(True)
            go()
            ended = command.wait()
        ground.check(f"exit {ended.code}: {ended.said}", ended.code == 1 and "Traceback" not in ended.said)
        fill(False)
        ground.finishes()
    return f"“{ended.last}”"


def full_at_merge(ground: Ground) -> str:
    """The disk is full when a finished run is merged."""
    with small_disk(ground) as fill:
        with ground.start() as command:
            ground.stopped(command.wait(), code=0, status="finished")
        before = ground.output.read_bytes()
        fill(True)
        merged = ground.read("merge", "--store", ground.store, "--output", str(ground.output), "--force")
        ground.check(f"exit {merged.returncode}: {merged.stderr}", merged.returncode == 1)
        ground.check(f"a traceback: {merged.stderr}", "Traceback" not in merged.stderr)
        ground.check("the dataset has changed", ground.output.read_bytes() == before)
        left = sorted(path.name for path in ground.output.parent.iterdir())
        ground.check(f"left behind: {left}", not [name for name in left if "part" in name or "tmp" in name])
        fill(False)
        ground.finishes()
    return f"“{' '.join(merged.stderr.split())}”; the dataset of before stands"


def no_room_in_file(ground: Ground) -> str:
    """No file may have more than 300 kB (RLIMIT_FSIZE)."""
    with ground.start(room=300_000) as command:
        ended = command.wait()
    ground.stopped(ended, status=ground.status() or "stopped")
    ground.finishes()
    return f"“{ended.last}”"


def writer_ended(ground: Ground) -> str:
    """The writer's thread is ended after ten transactions, by something that nobody foresaw."""
    with ground.start(env={"DRILL_WRITER": "10"}) as command:
        ended = command.wait()
    ground.stopped(ended)
    ground.finishes()
    return f"“{ended.last}”"


def restarted(ground: Ground, away: float) -> str:
    """PostgreSQL is killed in the middle of the run, and started again after a while."""
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        ground.server_of_store.kill()
        time.sleep(away)
        ground.server_of_store.start()
        ended = command.wait()
    ground.check(f"not waited for: {ended.last}", ended.code == 0)
    saw = _judged(ground, ended)
    return f"{saw}; {ground.paid_twice()} answers paid twice"


def never_back(ground: Ground) -> str:
    """PostgreSQL is killed in the middle of the run, and stays away."""
    with ground.start() as command:
        ground.until_calls(_MIDDLE)
        kept = ground.count(_ROWS)
        ground.server_of_store.kill()
        gone = time.monotonic()
        ended = command.wait()
        seconds = time.monotonic() - gone
    ground.check(f"exit {ended.code}: {ended.said[-300:]}", ended.code == 1 and "Traceback" not in ended.said)
    ground.server_of_store.start()
    ground.check(f"evolve runs says {ground.status()}", ground.status() in ("interrupted", "stopped"))
    ground.check("committed calls are gone", ground.count(_ROWS) >= kept)
    ground.finishes()
    return f"given up after {seconds:.0f} s: “{ended.last}”"


def away_at_begin(ground: Ground) -> str:
    """PostgreSQL is not there when the run is to begin."""
    ground.server_of_store.kill()
    with ground.start() as command:
        ended = command.wait()
    reading = ground.read("stats", "--store", ground.store)
    ground.check(f"exit {ended.code}: {ended.said}", ended.code == 1 and "Traceback" not in ended.said)
    ground.check(f"stats: {reading.stderr}", reading.returncode == 1 and "Traceback" not in reading.stderr)
    ground.check("something was asked", ground.server.stats()["completed"] == 0)
    ground.server_of_store.start()
    ground.finishes()
    return f"after {ended.seconds:.1f} s: “{ended.last}”"


def away_at_end(ground: Ground) -> str:
    """PostgreSQL is killed when the run writes how it ended, and is back after ten seconds."""
    command, go = _halted(ground)
    with command:
        ground.server_of_store.kill()
        go()
        time.sleep(10)
        ground.server_of_store.start()
        ended = command.wait()
    ground.check(f"not waited for: {ended.last}", ended.code == 0)
    return _judged(ground, ended)


def cut_again_and_again(ground: Ground) -> str:
    """All connections are cut, ten times in a run."""
    with ground.start() as command:
        for number in range(10):
            ground.until_calls((number + 1) * CALLS // 14)
            ground.server_of_store.cut()
        ended = command.wait()
    ground.check(f"not renewed: {ended.last}", ended.code == 0)
    saw = _judged(ground, ended)
    return f"{saw}; {ground.paid_twice()} answers paid twice"
