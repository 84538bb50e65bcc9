"""How things are measured: in processes of their own, in turn, and the median of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self, TypeVar

ROOT = Path(__file__).resolve().parents[1]
EVOLVE = str(Path(sys.executable).with_name("evolve"))
"""The command, as it is installed beside this interpreter."""

_SAMPLE_S = 0.2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and its descendants took: seconds of time and of CPU (user and system), peak memory in MB.

    Memory is the sum of proportional set sizes, sampled five times a second: pages that processes share count once.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float


class ChildFailedError(RuntimeError):
    """A measured process ended badly; its standard error has been shown."""


class Child:
    """A process in a session of its own, so that it can be killed with all it has started.

    Use it as a context manager; whatever still runs at the end is killed. ``command`` is given to the operating
    system as it is; standard output is kept for :meth:`report`, standard error goes to ``errors``. Memory is looked at
    only with ``watched``: looking takes some percent of a core, which matters where CPU is the question.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        errors: Path | None = None,
        watched: bool = True,
    ) -> None:
        self._errors = errors
        with open(errors or os.devnull, "wb") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdout=subprocess.PIPE,
                stderr=sink if errors else None,
                start_new_session=True,
                text=True,
            )
        self._began = time.monotonic()
        self._said = ""
        self._peak = 0
        self._ended = threading.Event()
        work = (self._read, self._watch) if watched else (self._read,)
        self._threads = [threading.Thread(target=what, daemon=True) for what in work]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait(self, timeout: float | None = None) -> Usage:
        """Wait for the end and return what it took.

        Raises:
            ChildFailedError: It ended with another status than 0.
            TimeoutError: It did not end within ``timeout`` seconds, and was killed.
        """
        late = threading.Event()
        alarm = threading.Timer(timeout or threading.TIMEOUT_MAX, self._end_late, [late])
        alarm.daemon = True
        alarm.start()
        _, status, used = os.wait4(self.pid, 0)
        alarm.cancel()
        wall = time.monotonic() - self._began
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._finish()
        if late.is_set():
            raise TimeoutError(f"it did not end within {timeout:g} s")
        if self._process.returncode:
            told = self._errors.read_text(errors="replace")[-3000:] if self._errors else ""
            raise ChildFailedError(f"{self._process.args!r} ended with {self._process.returncode}\n{told}")
        return Usage(wall, used.ru_utime + used.ru_stime, self.peak())

    def report(self) -> dict[str, Any]:
        """Return the JSON object that the process printed as its last line."""
        lines = self._said.strip().splitlines()
        found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
        return found

    def peak(self) -> float:
        """Return the most memory seen so far, in MB."""
        return self._peak / 1024

    def kill(self) -> None:
        """Kill the process and everything in its session, as ``kill -9`` does; safe to repeat."""
        if self._process.returncode is None:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self._finish()

    def _end_late(self, late: threading.Event) -> None:
        late.set()
        os.killpg(self.pid, signal.SIGKILL)

    def _finish(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self._said = self._process.stdout.read()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            self._peak = max(self._peak, sum(map(_pss_kb, _session(self.pid))))


def run_child(task: str, **arguments: Any) -> dict[str, Any]:
    """Run a task of ``benchmarks.child`` in a process of its own, and return the figures that it printed."""
    command = [sys.executable, "-m", "benchmarks.child", task, json.dumps(arguments)]
    with Child(command, env={"OPENAI_API_KEY": "sk-simulated"}, watched=False) as child:
        child.wait()
        return child.report()


def alternately(repeats: int, ways: Mapping[str, Callable[[], _T]]) -> dict[str, list[_T]]:
    """Measure several ways in turn, each round in the opposite order of the last, so that drift hits all alike."""
    found: dict[str, list[_T]] = {name: [] for name in ways}
    for repeat in range(repeats):
        for name in reversed(list(ways)) if repeat % 2 else list(ways):
            found[name].append(ways[name]())
    return found


def spread(values: Sequence[float]) -> float:
    """Return (largest - smallest) / median; 0 for a single value."""
    return (max(values) - min(values)) / median(values) if len(values) > 1 else 0.0


def peak_mb() -> float:
    """Return the largest resident set this process ever had, in MB.

    ``ru_maxrss`` will not do: on Linux a child begins with its parent's.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _session(leader: int) -> list[int]:
    members = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                members.append(int(entry.name))
    return members


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
