"""What must hold after a storm: nothing committed is lost, nothing is paid twice, and nothing is left lying about."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.llmsim.process import SimServer
from benchmarks.storm_work import Work
from evolver_store.connect import reading
from evolver_store.errors import StoreError

_OURS = frozenset({"pool.json", "out.jsonl", "e.db", "e.db-wal", "e.db-shm"})
"""SQLite's own two files stay after a kill where only readers came later; the next writer empties them."""

_LIVE = "SELECT COUNT(*) FROM calls WHERE cost_usd > 0.75e-6 * (prompt_tokens + completion_tokens)"
"""Calls that came live, at a dollar for a million tokens; those of batches cost half."""

_LINEAGE = """
SELECT id, root_id, parent_id, epoch, attempt, family, mutator, status, rule, reason, instruction, response,
       prompt_tokens, completion_tokens FROM instructions ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is: in the store, at the provider, in the folder.

    ``calls`` and ``rows`` are what is stored, ``live`` counts the calls among them that came live; ``completed`` counts
    the live answers that the provider has sent and ``twice`` the contents that it was paid for more than once, live and
    in batches.
    """

    calls: frozenset[str] = frozenset()
    live: int = 0
    rows: frozenset[int] = frozenset()
    lineage: str = ""
    dataset: str = ""
    status: tuple[str, ...] = ()
    open_batches: int = 0
    completed: int = 0
    twice: int = 0
    twice_in_batches: int = 0
    files: frozenset[str] = frozenset()


def seen(work: Work, folder: Path, store: str, server: SimServer) -> Seen:
    """Look at everything."""
    stats = server.stats()
    made = {
        "completed": stats["completed"],
        "twice": stats["repeated"]["total"],
        "twice_in_batches": stats["batches"]["contents"]["repeated"]["total"],
        "files": frozenset(path.name for path in folder.iterdir()),
        "dataset": _digest((folder / "out.jsonl").read_bytes()) if (folder / "out.jsonl").exists() else "",
    }
    try:
        with reading(store) as engine, engine.connect() as conn:
            return Seen(**made, **_stored(conn), live=int(conn.execute(text(_LIVE)).scalar_one()))  # type: ignore[arg-type]
    except (StoreError, SQLAlchemyError):  # not made yet
        return Seen(**made)


def _stored(conn: Connection) -> dict[str, object]:
    def column(query: str) -> frozenset[object]:
        return frozenset(conn.execute(text(query)).scalars())

    lineage = [tuple(row) for row in conn.execute(text(_LINEAGE))]
    still_open = "SELECT COUNT(*) FROM batches WHERE status IN ('intended', 'submitted', 'cancelling')"
    return {
        "calls": column("SELECT key FROM calls"),
        "rows": frozenset(row[0] for row in lineage),
        "lineage": _digest(repr(lineage).encode()),
        "status": tuple(conn.execute(text("SELECT status FROM runs ORDER BY id")).scalars()),
        "open_batches": conn.execute(text(still_open)).scalar_one(),
    }


def lineage_digest(store: str) -> str:
    """Return a digest of every row of the lineage, as :attr:`Seen.lineage` has it."""
    with reading(store) as engine, engine.connect() as conn:
        return _digest(repr([tuple(row) for row in conn.execute(text(_LINEAGE))]).encode())


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


@dataclass(slots=True)
class Outcome:
    """What was seen of one kind of work on one database.

    ``in_flight`` counts the answers that were on their way, or not yet 50 ms old, when the program was killed: those
    are paid again. ``wrong`` says in words what should not have been.
    """

    work: str
    database: str
    rounds: int = 0
    kills: int = 0
    in_flight: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in another round."""
        self.rounds += other.rounds
        self.kills += other.kills
        self.in_flight += other.in_flight
        self.twice += other.twice
        self.wrong += other.wrong

    def compare(self, before: Seen | None, now: Seen, *, slots: int) -> None:
        """See after a kill that nothing committed has gone, and count what was in flight."""
        before = before or Seen()
        for what, gone in (("calls", before.calls - now.calls), ("rows", before.rows - now.rows)):
            if gone:
                self.wrong.append(f"{len(gone)} committed {what} lost")
        # What an earlier kill lost was counted then.
        lost = max(0, (now.completed - before.completed) - (now.live - before.live))
        self.in_flight += lost
        if lost > 2 * slots:
            self.wrong.append(f"{lost} answers lost at one kill, with {slots} slots")


def check(outcome: Outcome, calm: Seen, last: Seen | None, end: Seen, status: str | None) -> None:
    """See that the work has come to the end that undisturbed work comes to."""
    outcome.compare(last, end, slots=10**6)
    outcome.twice = max(0, end.twice - calm.twice) + max(0, end.twice_in_batches - calm.twice_in_batches)
    checks = {
        status or "": status is None,
        "another lineage": end.lineage == calm.lineage,
        "another dataset": end.dataset == calm.dataset and end.dataset != "",
        f"runs are {', '.join(end.status)}": set(end.status) <= {"finished"},
        f"{end.open_batches} batches open": end.open_batches == 0,
        f"{outcome.twice} answers paid twice, {outcome.in_flight} were in flight": outcome.twice
        <= outcome.in_flight,
        f"left behind: {', '.join(sorted(end.files - _OURS))}": end.files <= _OURS,
    }
    outcome.wrong += [words for words, right in checks.items() if not right]


def as_table(outcomes: list[Outcome], seed: int) -> str:
    """Return a table in Markdown, with a sentence on the whole."""
    rows = [
        f"| {each.work} | {each.database} | {each.rounds} | {each.kills} | {each.in_flight} | {each.twice} | "
        f"{'; '.join(each.wrong) or 'equal to the undisturbed one'} |"
        for each in outcomes
    ]
    kills = sum(each.kills for each in outcomes)
    return "\n".join(
        [
            f"`python -m benchmarks.storm --seed {seed} --kills {kills}`:",
            "",
            "| work | database | rounds | kills | answers in flight at a kill | paid again | lineage, dataset, files |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    )
