"""The kinds of work that a storm disturbs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.llmsim.process import SimServer

SLOTS = 8
_SEEDS = 24
_BOTH = ("sqlite", "postgresql")
_LIVE_FAULTS = {
    "rate_429": 0.03,
    "rate_500": 0.03,
    "rate_drop": 0.03,
    "rate_malformed": 0.01,
    "retry_after": 0.0,
}
_BATCH_FAULTS = {"batch_rate_errored": 0.03, "batch_rate_expired": 0.03, "batch_lose_answers": 2}


@dataclass(frozen=True, slots=True)
class Work:
    """One kind: what is asked of whom. ``merges`` work on a finished store that :func:`prepare` makes."""

    name: str
    way: Literal["live", "batch", "merge", "pool"]
    model: str = "openai:gpt-4.1-mini"
    databases: tuple[str, ...] = _BOTH
    seeds: int = _SEEDS

    def provider(self, faults: bool) -> dict[str, Any]:
        """Return the settings of its provider."""
        settings: dict[str, Any] = {"style": "offline", "latency": "constant:0.06", "batch_seconds": 0.2}
        if not faults:
            return settings
        return settings | (_BATCH_FAULTS if self.way == "batch" else _LIVE_FAULTS)

    def run(self, folder: Path, store: str, server: SimServer) -> list[str]:
        """Return the command of the run."""
        address = server.anthropic_base_url if self.model.startswith("anthropic") else server.openai_base_url
        asked = ["--model", "offline"] if self.way in ("pool", "merge") else ["--model", self.model]
        if self.way in ("live", "batch"):
            asked += [
                "--base-url",
                address,
                "--concurrency",
                str(SLOTS),
                "--price-in",
                "1",
                "--price-out",
                "1",
            ]
        if self.way == "batch":
            asked += ["--batch", "--batch-poll", "0.05"]
        epochs = "1" if self.way == "pool" else "2"
        return [
            *("--pool", str(pool(folder, self.seeds)), "--epochs", epochs, *asked, "--store", store),
            *("--run", "storm", "--output", str(folder / "out.jsonl"), "--yes", "--quiet"),
        ]

    def command(self, folder: Path, store: str, server: SimServer) -> list[str]:
        """Return the command that is killed."""
        if self.way != "merge":
            return self.run(folder, store, server)
        output = str(folder / "out.jsonl")
        return ["merge", "--store", store, "--dedup", "near", "--output", output, "--quiet"]


KINDS = (
    Work("live run", "live"),
    Work("batches, OpenAI", "batch"),
    Work("batches, Anthropic", "batch", model="anthropic:claude-sonnet-4-0"),
    Work("merge", "merge", seeds=400),
    Work("storing a pool", "pool", seeds=4_000),
)


def pool(folder: Path, seeds: int) -> Path:
    """Return a pool of different instructions, written if it is not there."""
    path = folder / "pool.json"
    if not path.exists():
        rows = [
            {"instruction": f"Explain to a beginner why the number {number} matters.", "output": "It does."}
            for number in range(seeds)
        ]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def prepare(
    work: Work, folder: Path, store: str, server: SimServer, run: Callable[[list[str]], str | None]
) -> None:
    """Make what the work needs before it begins: its pool, and a finished run where it merges one."""
    pool(folder, work.seeds)
    if work.way == "merge":
        status = run(work.run(folder, store, server))
        if status is not None:
            raise RuntimeError(f"the run to be merged: {status}")
        (folder / "out.jsonl").unlink()
