"""Every drill: what is broken, what is promised of it, and who does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from benchmarks.drills import clock, database, provider
from benchmarks.drills.ground import Ground


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill; ``run`` does it, notes what is wrong on its ground, and says what was seen."""

    name: str
    fault: str
    promise: str
    run: Callable[[Ground], str]
    database: Literal["sqlite", "postgresql"] = "sqlite"
    model: str = "openai:gpt-4.1-mini"


_NAMED = "the cause is named within 5 s; one sentence at the end, exit 1, `stopped`"
_RESUMABLE = "one sentence, exit 1, `stopped`; the same command finishes it with the undisturbed lineage"
_WAITED = "it is waited for; exit 0, the undisturbed lineage"
_ROW = "its attempts are `failed`, all others are made, exit 0; `--retry-failed` makes them again"

_SAFE = "one sentence, exit 1; what was written is safe; the same command finishes it with the undisturbed lineage"

DRILLS = (
    Drill("writer-ended", "the writer's thread is ended", _RESUMABLE, database.writer_ended),
    Drill("disk-full-begin", "the disk is full when the run begins", _SAFE, database.full_at_begin),
    Drill("disk-full-write", "the disk fills up in the middle", _SAFE, database.full_at_write),
    Drill("disk-full-end", "the disk is full when the run's end is written", _SAFE, database.full_at_end),
    Drill("disk-full-merge", "the disk is full when a dataset is written", _SAFE, database.full_at_merge),
    Drill("disk-full-file", "no file may have more than 300 kB", _SAFE, database.no_room_in_file),
    Drill(
        "lock-begin", "a SQLite store is locked for 60 s when the run begins", _SAFE, database.lock_at_begin
    ),
    Drill("lock-write", "a SQLite store is locked for 60 s in the middle", _WAITED, database.lock_at_write),
    Drill("lock-end", "a SQLite store is locked for 60 s at the end", _WAITED, database.lock_at_end),
    Drill(
        "lock-read",
        "a SQLite store is locked while it is read",
        "a writer's lock keeps no reader",
        database.lock_at_read,
    ),
    *(
        Drill(f"postgres-{name}", fault, promise, run, "postgresql")
        for name, fault, promise, run in (
            (
                "restart",
                "PostgreSQL is killed in the middle and started again at once",
                _WAITED,
                partial(database.restarted, away=0),
            ),
            (
                "restart-30",
                "PostgreSQL is killed in the middle and back after 30 s",
                _WAITED,
                partial(database.restarted, away=30),
            ),
            ("never-back", "PostgreSQL is killed in the middle and stays away", _SAFE, database.never_back),
            ("away-begin", "PostgreSQL is not there when the run begins", _SAFE, database.away_at_begin),
            ("away-end", "PostgreSQL is killed when the run's end is written", _WAITED, database.away_at_end),
            (
                "cut",
                "all connections to PostgreSQL are cut, ten times",
                _WAITED,
                database.cut_again_and_again,
            ),
        )
    ),
    Drill("provider-refuses", "nobody listens at the provider's address", _NAMED, provider.refused),
    Drill("provider-unknown-host", "the provider's host is unknown", _NAMED, provider.unknown_host),
    Drill("provider-silent", "connections to the provider are dropped", _NAMED, provider.silent_host),
    Drill("provider-hangs-up", "what is at the address hangs up", _NAMED, provider.hangs_up),
    Drill("provider-no-tls", "https at a server that speaks http", _NAMED, provider.no_tls),
    Drill(
        "provider-down-for-good",
        "the provider goes in the middle, for good",
        _RESUMABLE,
        provider.down_for_good,
    ),
    Drill("provider-down-a-minute", "the provider is away for a minute", _WAITED, provider.down_for_a_minute),
    Drill(
        "provider-frozen", "the provider answers nobody for a minute", _WAITED, provider.frozen_for_a_minute
    ),
    *(
        Drill(
            f"one-request-{how}",
            f"one prompt always fails ({how})",
            _ROW,
            partial(provider.one_request, fails_as=how),
        )
        for how in ("500", "hang", "drop", "malformed", "529")
    ),
    *(
        Drill(
            f"account-{number:02}-{empty.status}",
            f"the account is empty: {empty.status}, in the words of {empty.who}",
            f"{_RESUMABLE}; the provider's words, nothing `failed`",
            partial(provider.account_empty, empty=empty),
            model=empty.model,
        )
        for number, empty in enumerate(provider.EMPTY, 1)
    ),
    *(
        Drill(
            f"clock-{'batch' if batches else 'live'}-{way}",
            f"the clock is set two hours {way} in the middle of a run{' in batches' if batches else ''}",
            "exit 0, the undisturbed lineage, nothing paid twice",
            partial(clock.clock_set, by=by, batches=batches),
        )
        for batches in (False, True)
        for way, by in (("back", -7200), ("ahead", 7200))
    ),
)
