"""Where one drill takes place: a folder, a store, a simulated provider, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.drills.command import Command, Ended, environment
from benchmarks.drills.postgres import Postgres
from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE
from benchmarks.storm_checks import lineage_digest
from evolver_store.connect import reading
from evolver_store.errors import StoreError

SEEDS, EPOCHS, SLOTS = 30, 2, 8
CALLS = 3 * SEEDS * EPOCHS  # of an undisturbed run, at most: some attempts die before their last call
LATENCY = "constant:0.1"
RUN = "drill"
_HOOK = Path(__file__).with_name("hook")
_LONGEST_READ = 60.0


@dataclass(slots=True)
class Ground:
    """One drill's place.

    ``wrong`` gathers what should not have been. ``calm`` is the lineage of the undisturbed run, which asks for
    ``asked_again`` contents more than once. ``began`` is after how many seconds the event loop of the last command went
    to work; ``stall`` is the longest time for which a callback kept it, of any command: seconds, what of them was
    spent at work, and by which.
    """

    folder: Path
    store: str
    server: SimServer
    calm: str
    asked_again: int
    model: str = "openai:gpt-4.1-mini"
    wrong: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    stall: tuple[float, float, str] = (0.0, 0.0, "")
    postgres: Postgres | None = None
    output: Path = Path("out.jsonl")
    began: float = 0.0

    @property
    def server_of_store(self) -> Postgres:
        """Return the drill's own PostgreSQL."""
        assert self.postgres is not None
        return self.postgres

    @property
    def address(self) -> str:
        """Return the provider's base URL."""
        anthropic = self.model.startswith("anthropic")
        return self.server.anthropic_base_url if anthropic else self.server.openai_base_url

    def words(self, address: str | None = None) -> list[str]:
        """Return the command of the run: the same each time, but for where the provider is to be found."""
        return [
            *("--pool", str(pool(self.folder)), "--epochs", str(EPOCHS), "--model", self.model),
            *("--base-url", address or self.address, "--concurrency", str(SLOTS), "--store", self.store),
            *("--run", RUN, "--output", str(self.folder / self.output), "--yes", *self.more),
        ]

    def start(
        self, *, address: str | None = None, env: Mapping[str, str] | None = None, room: int | None = None
    ) -> Command:
        """Start the run's command; ``room`` is the most bytes that any file of its may have."""
        path = os.pathsep.join(filter(None, (str(_HOOK), os.environ.get("PYTHONPATH"))))
        more = {"DRILL_STALLS": str(self.folder / "stalls"), "PYTHONPATH": path, **(env or {})}
        return Command(self.words(address), self.folder, more, room)

    def check(self, what: str, right: object) -> None:
        """Note ``what`` as wrong unless it is right."""
        if not right:
            self.wrong.append(what)

    def stopped(self, ended: Ended, *, code: int = 1, status: str = "stopped", says: str = "") -> None:
        """See that a command ended as it should: exit code, one sentence, the run's status, the loop never kept.

        ``says`` is what must be among its last words.
        """
        self.note_stall()
        self.check(
            "it hung" if ended.code is None else f"exit {ended.code}: {ended.last[-200:]}", ended.code == code
        )
        self.check(f"a traceback: {ended.said[-300:]}", "Traceback" not in ended.said)
        if code:
            self.check(f"no way on is said: {ended.last[-200:]}", "again" in ended.last or "--" in ended.last)
            self.check(
                f"{len(ended.last)} characters are no sentence: {ended.last[:200]}", len(ended.last) < 600
            )
        self.check(f"not said: {says!r} in {ended.last[-300:]!r}", says.lower() in ended.last.lower())
        seen = self.status()
        self.check(f"evolve runs says {seen}, not {status}", seen == status)

    def finishes(self, *, failed: int = 0, equal: bool = True, more: tuple[str, ...] = ()) -> None:
        """See that the same command comes to its end now, with the lineage of an undisturbed run."""
        with Command([*self.words(), *more], self.folder, {}) as command:
            ended = command.wait()
        self.check(f"the same command: exit {ended.code}: {ended.last[-200:]}", ended.code == 0)
        self.check(f"evolve runs says {self.status()} at the end", self.status() == "finished")
        rows = self.count("SELECT COUNT(*) FROM instructions WHERE status = 'failed'")
        self.check(f"{rows} attempts stored as failed", rows == failed)
        if equal:
            self.check("another lineage than undisturbed", lineage_digest(self.store) == self.calm)

    def status(self) -> str | None:
        """Return what ``evolve runs`` says of the run; ``None`` where it knows of none."""
        ended = self.read("runs", "--store", self.store, "--json")
        rows = [json.loads(line) for line in ended.stdout.splitlines()]
        return next((row["status"] for row in rows if row["name"] == RUN), None)

    def read(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a reading command to its end."""
        return subprocess.run(
            [EVOLVE, *words],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            timeout=_LONGEST_READ,
            check=False,
        )

    def count(self, query: str) -> int:
        """Return the one number that a query of the store gives; 0 where there is no such store yet."""
        try:
            with reading(self.store) as engine, engine.connect() as conn:
                return int(conn.execute(text(query)).scalar_one())
        except (StoreError, SQLAlchemyError):
            return 0

    def until_calls(self, number: int) -> None:
        """Wait until so many answers have been given."""
        self.server.wait(completed=number, timeout=120)

    def until_batches(self, number: int) -> None:
        """Wait until so many batches have been submitted."""
        until(lambda: self.server.stats()["batches"].get("submitted", 0) >= number, longest=120.0)

    def paid_twice(self) -> int:
        """Return how many answers were paid for once more than in an undisturbed run."""
        return int(self.server.stats()["repeated"]["total"]) - self.asked_again

    def note_stall(self) -> None:
        """Keep the longest stall of the last command, if it wrote one down."""
        path = self.folder / "stalls"
        if path.exists():
            began, took, worked, what = path.read_text(encoding="utf-8").split(maxsplit=3)
            self.began = float(began)
            self.stall = max(self.stall, (float(took), float(worked), what))
            path.unlink()


def pool(folder: Path) -> Path:
    """Return a pool of different instructions, written if it is not there."""
    path = folder / "pool.json"
    if not path.exists():
        rows: list[dict[str, Any]] = [
            {
                "instruction": f"Explain to a beginner why the number {number:03} matters.",
                "output": "It does.",
            }
            for number in range(SEEDS)
        ]
        path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def until(condition: Callable[[], object], longest: float = 60.0) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: It did not come.
    """
    deadline = time.monotonic() + longest
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what a drill waits for did not come")
        time.sleep(0.02)
