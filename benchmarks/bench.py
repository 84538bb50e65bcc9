"""What every measure is given: how much to measure, where to work, whom to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pools import write_pool

LOGNORMAL = "lognormal:0.12:1.0"
"""Latencies with a heavy tail: median 0.12 s, mean 0.20 s, one in a hundred above 1.2 s."""

CONSTANT = "constant:0.198"
"""The same mean without any spread."""


@dataclass(frozen=True, slots=True)
class Bench:
    """``full`` asks for the large sizes; ``folder`` is thrown away at the end; ``say`` shows progress."""

    full: bool
    repeats: int
    folder: Path
    say: Callable[[str], None]

    def pool(self, count: int) -> Path:
        """Return a pool of that many rows, written once."""
        path = self.folder / f"pool-{count}.json"
        return path if path.exists() else write_pool(path, count)

    def store(self, name: str) -> Path:
        """Return where to make a new store; what an earlier measure left under that name is gone."""
        for path in self.folder.glob(f"{name}.db*"):
            path.unlink()
        return self.folder / f"{name}.db"
