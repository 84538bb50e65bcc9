"""The program as a drill runs it: a process whose words are read as they come."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import EVOLVE

LONGEST = 420.0  # seconds after which a command counts as hanging


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit code (``None``: it hung, and was killed), its words, and the seconds it took."""

    code: int | None
    said: str
    seconds: float

    @property
    def last(self) -> str:
        """Return the message that it ended with, on one line."""
        return " ".join(self.said.rpartition("evolve: ")[2].split())


class Command:
    """A command that runs, in a session of its own; use it as a context manager, which kills what still runs."""

    def __init__(
        self, words: Sequence[str], folder: Path, more: Mapping[str, str], room: int | None = None
    ) -> None:
        self._process = subprocess.Popen(
            [EVOLVE, *words],
            cwd=folder,
            env=environment(folder) | {**more, "DRILL_BEGAN": str(time.monotonic())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=None if room is None else lambda: _limit_files(room),
        )
        self._began = time.monotonic()
        self._lines: list[tuple[float, str]] = []
        self._news = threading.Condition()
        self._over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def told(self, pattern: str, within: float) -> float | None:
        """Return after how many seconds it said what matches ``pattern``; ``None`` if not ``within`` so many."""
        with self._news:
            while True:
                for after, line in self._lines:
                    if re.search(pattern, line, re.IGNORECASE):
                        return after
                left = self._began + within - time.monotonic()
                if self._over or left <= 0:
                    return None
                self._news.wait(left)

    def wait(self, longest: float = LONGEST) -> Ended:
        """Wait for the end; what takes longer is killed, and counts as hanging."""
        code: int | None
        try:
            code = self._process.wait(longest)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        self._reader.join()
        return Ended(code, "".join(line for _, line in self._lines), time.monotonic() - self._began)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to all of it."""
        if self.running:
            os.killpg(self.pid, number)
            if number == signal.SIGKILL:
                self._process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as said:
            for line in said:
                with self._news:
                    self._lines.append((time.monotonic() - self._began, line.decode(errors="replace")))
                    self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that a command of a drill sees: none of evolver's, and keys that open nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVOLVE_", "DRILL_"))}
    keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    return kept | keys | {"XDG_STATE_HOME": str(folder), "COLUMNS": "200"}


def _limit_files(size: int) -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
