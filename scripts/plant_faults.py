"""Break the code in one place at a time, in copies of the tree, and see that the tests notice.

The faults stand in ``scripts/faults/``, a file for each room, so that several people can add to them at a time. A
fault is a table whose name says which promise it breaks::

    ["the refusal rule keeps a response of exactly 80 words"]
    path = "evolver/elimination/refusal.py"
    good = "words >= MAX_WORDS"
    bad = "words > MAX_WORDS"
    tests = "tests/elimination/test_built_in_rules.py"

``good`` has to stand in the file exactly once, ``bad`` takes its place, and ``tests`` is one or a list of what pytest
takes. Name a test or a file rather than a folder: all of them run once without the fault and again with it.

Without an option a part of the faults is planted, chosen by the hash of the commit, so that one commit always plants
the same ones and all have their turn in a while. Whichever are planted, every fault is looked at, and one whose text
stands no longer where it says is an error. The exit code is 1 for such a fault, for one that no test noticed, and for
tests that fail without one.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import json
import os
import py_compile
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAULTS = ROOT / "scripts" / "faults"
LEFT_OUT = (
    ".git",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "site",
    "demo",
    "dist",
    "build",
    "*.db*",
)
SOURCE_ROOTS = (".", "mutators", "offline", "store", "templates")

PART = 24
"""How many faults are planted where nobody says which: under four minutes on two cores."""

TEST_SECONDS = 60
"""The most one test may take. A fault that makes a test hang is noticed by that."""

RUN_SECONDS = 300
"""The most the tests of one fault may take."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in the code, what it becomes, and the tests that must notice."""

    room: str
    name: str
    path: str
    good: str
    bad: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one fault: ``caught`` by a test, ``missed``, or ``untested`` as its tests fail without it."""

    room: str
    name: str
    path: str
    outcome: str
    by: str
    seconds: float


def read_faults(folder: Path = FAULTS) -> list[Fault]:
    """Read every fault there is, in the order of rooms and files."""
    found: list[Fault] = []
    for file in sorted(folder.glob("*.toml")):
        for name, table in tomllib.loads(file.read_text("utf-8")).items():
            if set(table) != {"path", "good", "bad", "tests"}:
                sys.exit(f"{file.name}: {name!r} needs path, good, bad and tests, and nothing else.")
            tests = table.pop("tests")
            found.append(
                Fault(file.stem, name, tests=tuple([tests] if isinstance(tests, str) else tests), **table)
            )
    return found


def mistakes(fault: Fault, root: Path = ROOT) -> Iterator[str]:
    """Say what keeps a fault from being planted: its text has moved, or it breaks more than it should."""
    path = root / fault.path
    if not path.is_file():
        yield f"{fault.path} is not there"
        return
    code = path.read_text(encoding="utf-8")
    if code.count(fault.good) != 1:
        yield f"{fault.good!r} stands {code.count(fault.good)} times in {fault.path}"
    elif path.suffix == ".py":
        try:
            planted = ast.parse(code.replace(fault.good, fault.bad))
        except SyntaxError as error:
            yield f"{fault.path} would be no Python: {error.msg}"
        else:
            if ast.dump(planted) == ast.dump(ast.parse(code)):
                yield f"{fault.path} would do the same as before"
    for test in fault.tests:
        file, *names = test.split("::")
        stands = (root / file).exists()
        if not stands or (
            names and f"def {names[-1].partition('[')[0]}(" not in (root / file).read_text("utf-8")
        ):
            yield f"{test} is not there"


def part_of(faults: Iterable[Fault], commit: str, most: int) -> list[Fault]:
    """Choose the faults whose turn it is at a commit."""

    def turn(fault: Fault) -> bytes:
        return blake2b(f"{commit}\n{fault.room}\n{fault.name}".encode()).digest()

    return sorted(faults, key=turn)[:most]


def head() -> str:
    """Name the commit that is checked out; empty where this is no repository."""
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


@contextmanager
def copies(count: int) -> Iterator[queue.SimpleQueue[Path]]:
    """Make copies of the tree, one for each worker, to take from a queue and put back."""
    with tempfile.TemporaryDirectory(prefix="evolver-faults-") as folder:
        free: queue.SimpleQueue[Path] = queue.SimpleQueue()
        first = Path(folder) / "0"
        shutil.copytree(ROOT, first, ignore=shutil.ignore_patterns(*LEFT_OUT))
        # By the time of a file, two changes within a second cannot be told apart; by its hash they can.
        compileall.compile_dir(first, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        free.put(first)
        for number in range(1, count):
            free.put(shutil.copytree(first, first.with_name(str(number))))
        yield free


def run_tests(copy: Path, tests: Sequence[str]) -> str:
    """Run tests in a copy until one fails; return which one did, empty where all pass."""
    roots = os.pathsep.join(str(copy / root) for root in SOURCE_ROOTS)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rfE", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        [*command, f"--timeout={TEST_SECONDS}", *tests],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": roots},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            said, _ = running.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            return f"no end after {RUN_SECONDS} s"
    if running.returncode == 0:
        return ""
    named = re.search(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
    return named[1] if named else (said.strip().splitlines() or ["no word from pytest"])[-1]


def plant(copy: Path, fault: Fault) -> Outcome:
    """Break the copy, run the tests of the fault, and mend the copy."""
    path = copy / fault.path
    good = path.read_text(encoding="utf-8")
    started = time.monotonic()
    path.write_text(good.replace(fault.good, fault.bad), encoding="utf-8")
    try:
        by = run_tests(copy, fault.tests)
    finally:
        path.write_text(good, encoding="utf-8")
    seconds = round(time.monotonic() - started, 1)
    return Outcome(fault.room, fault.name, fault.path, "caught" if by else "missed", by, seconds)


def work_through(faults: Sequence[Fault], workers: int) -> Iterator[Outcome]:
    """Plant faults side by side, after a run of their tests without any; outcomes come in the faults' order."""
    with copies(workers) as free, ThreadPoolExecutor(workers) as pool:

        def clean(tests: tuple[str, ...]) -> str:
            copy = free.get()
            try:
                return run_tests(copy, tests)
            finally:
                free.put(copy)

        wanted = sorted({fault.tests for fault in faults})
        failing = dict(zip(wanted, pool.map(clean, wanted), strict=True))

        def one(fault: Fault) -> Outcome:
            if by := failing[fault.tests]:
                return Outcome(fault.room, fault.name, fault.path, "untested", by, 0.0)
            copy = free.get()
            try:
                return plant(copy, fault)
            finally:
                free.put(copy)

        yield from pool.map(one, faults)


def main() -> int:
    options = _options()
    every = read_faults()
    stale = [(fault, mistake) for fault in every for mistake in mistakes(fault)]
    for fault, mistake in stale:
        print(f"STALE    {fault.room}: {fault.name}: {mistake}", file=sys.stderr)
    if stale or options.check:
        print(f"{len(stale)} of {len(every)} faults can no longer be planted", file=sys.stderr)
        return 1 if stale else 0
    chosen = [fault for fault in every if not options.room or fault.room in options.room]
    if not (options.all or options.room):
        chosen = part_of(every, options.commit or head(), options.part)
    if not chosen:
        sys.exit(
            f"no fault is in {', '.join(options.room)}; rooms: {', '.join(sorted({f.room for f in every}))}"
        )
    caught = 0
    for done in work_through(chosen, min(options.workers, len(chosen))):
        caught += done.outcome == "caught"
        _show(done, options.json)
    print(f"{caught} of {len(chosen)} faults caught, {len(every)} there are", file=sys.stderr)
    return 0 if caught == len(chosen) else 1


def _show(done: Outcome, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(done)), flush=True)
        return
    word = done.outcome if done.outcome == "caught" else done.outcome.upper()
    print(f"{word:8} {done.seconds:5.1f} s  {done.room}: {done.name}  [{done.by}]", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Plant faults in copies of the tree; see that the tests notice."
    )
    parser.add_argument("--all", action="store_true", help="all faults instead of the part whose turn it is")
    parser.add_argument("--room", action="append", help="the faults of one room; may be given again")
    parser.add_argument(
        "--part", type=int, default=PART, metavar="N", help=f"how many faults; default {PART}"
    )
    parser.add_argument(
        "--commit", metavar="HASH", help="choose as at this commit; default: the one checked out"
    )
    parser.add_argument("--check", action="store_true", help="only see whether every fault can be planted")
    parser.add_argument("--json", action="store_true", help="one JSON object for each fault")
    parser.add_argument(
        "--workers", type=int, default=_cores(), metavar="N", help="default: one for each core"
    )
    return parser.parse_args()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    sys.exit(main())
