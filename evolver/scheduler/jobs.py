"""The kinds of job of a run: attempts at harder instructions, anew or again, and answers to seeds."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evolver.calls.ledger import Ledger
from evolver.events import AttemptEnded, Listener, SeedAnswered
from evolver.scheduler.answers import answer_seed
from evolver.scheduler.attempt import Method, attempt
from evolver.scheduler.frontier import Frontier, Job
from evolver_store.runs import seed_of

Opened = tuple[Job, str]
"""An attempt to be made, and the text of its parent."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts: the lineage with the most calls left first; each goes into its next epoch when it comes back."""

    frontier: Frontier
    method: Method
    ledger: Ledger
    listener: Listener
    again: bool = False

    def __len__(self) -> int:
        """How many lineages wait."""
        return len(self.frontier)

    async def take(self, most: int) -> Sequence[Opened]:
        """Hand out attempts with their parents' texts."""
        return await _with_texts(self.frontier.take(most), self.ledger)

    async def do(self, job: Opened) -> dict[str, Any]:
        """Make an attempt and record its row."""
        row = await attempt(*job, self.method)
        self.ledger.record(row, again=self.again)
        return row

    def put_back(self, job: Opened, outcome: dict[str, Any]) -> None:
        """Let the lineage wait for its next attempt: with its new head if this one survived, else with its old."""
        place, status = job[0], outcome["status"]
        self.frontier.put_back(place, survived=status == "survivor")
        self.listener(_ended(place, outcome))


@dataclass(frozen=True, slots=True)
class FailedAttempts:
    """Attempts that failed in the middle of their lineage: each is made again from the parent it had.

    What was evolved since stays as it is, so a survivor adds a branch to the lineage and does not become its head.
    """

    failed: list[Job]
    method: Method
    ledger: Ledger
    listener: Listener

    def __len__(self) -> int:
        """How many are left."""
        return len(self.failed)

    async def take(self, most: int) -> Sequence[Opened]:
        """Hand out attempts with their parents' texts."""
        jobs = [self.failed.pop() for _ in range(min(most, len(self.failed)))]
        return await _with_texts(jobs, self.ledger)

    async def do(self, job: Opened) -> dict[str, Any]:
        """Make an attempt, and record its row in place of the one that failed."""
        row = await attempt(*job, self.method)
        self.ledger.record(row, again=True)
        return row

    def put_back(self, job: Opened, outcome: dict[str, Any]) -> None:
        """Tell of it."""
        self.listener(_ended(job[0], outcome))


async def _with_texts(jobs: list[Job], ledger: Ledger) -> list[Opened]:
    texts = await ledger.texts(list({job.parent_id for job in jobs})) if jobs else {}
    return [(job, texts[job.parent_id]) for job in jobs]


def _ended(job: Job, row: dict[str, Any]) -> AttemptEnded:
    return AttemptEnded(job.id, job.epoch, row["mutator"], row["status"], row["rule"], row["reason"])


@dataclass(frozen=True, slots=True)
class SeedAnswers:
    """Answers to seeds, in no order; ``unanswered`` are the seeds' ids."""

    unanswered: array[int]
    method: Method
    ledger: Ledger
    listener: Listener

    def __len__(self) -> int:
        """How many seeds wait for an answer."""
        return len(self.unanswered)

    async def take(self, most: int) -> Sequence[int]:
        """Hand out seeds."""
        return [self.unanswered.pop() for _ in range(min(most, len(self.unanswered)))]

    async def do(self, job: int) -> dict[str, Any]:
        """Ask for a seed's answer and store what came of it."""
        seed = await self.ledger.read(lambda conn: seed_of(conn, job))
        row = await answer_seed(job, *seed, self.method)
        self.ledger.answer_seed(row)
        return row

    def put_back(self, job: int, outcome: dict[str, Any]) -> None:
        """Tell of it."""
        self.listener(SeedAnswered(job, dropped="answer_dropped" in (outcome["details"] or {})))
