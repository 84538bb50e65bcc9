"""Tables of the lineage store, as they stand after the newest migration, and the arithmetic of ids.

The tables and views are a public contract: users' SQL rests on them. A change here needs a migration in
``evolver_store.migrations``, which is what creates them in a database.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

RUN_SHIFT, ORDINAL_SHIFT, EPOCH_SHIFT = 40, 12, 6
MAX_RUN = (1 << 13) - 1  # 53 bits in all: ids stay exact in JSON and JavaScript
MAX_ORDINAL = (1 << 28) - 1
MAX_EPOCH = MAX_ATTEMPT = (1 << 6) - 1

metadata = MetaData()
_BigInt = BigInteger().with_variant(Integer, "sqlite")  # SQLite's rowid is an INTEGER, of 64 bits

migrations = Table(
    "evolver_migrations",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", _BigInt, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("settings", JSON(none_as_null=True), nullable=False),
    Column("pool", Text),
    Column("pool_sha256", Text),
    Column("seeds", Integer),  # NULL until the whole pool is in the store
    Column("epochs", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("evolver_version", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("kind", Text, nullable=False, server_default="evolve"),
    CheckConstraint("status IN ('running', 'finished', 'stopped')", name="runs_status"),
    CheckConstraint("kind IN ('evolve', 'oss')", name="runs_kind"),
)

instructions = Table(
    "instructions",
    metadata,
    Column("id", _BigInt, primary_key=True, autoincrement=False),
    Column("run_id", _BigInt, ForeignKey("runs.id"), nullable=False),
    Column("root_id", BigInteger, nullable=False),
    Column("parent_id", _BigInt, ForeignKey("instructions.id")),
    Column("epoch", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("family", Text, nullable=False),
    Column("mutator", Text),
    Column("status", Text, nullable=False),
    Column("rule", Text),
    Column("reason", Text),
    Column("instruction", Text),
    Column("response", Text),
    Column("model", Text),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("details", JSON(none_as_null=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("reasoning", Text),  # what the model thought before the response
    UniqueConstraint("run_id", "root_id", "epoch", "attempt", name="instructions_attempt"),
    CheckConstraint("status IN ('seed', 'survivor', 'eliminated', 'failed')", name="instructions_status"),
)
Index("instructions_parent", instructions.c.parent_id)
Index(
    "instructions_epoch",
    instructions.c.run_id,
    instructions.c.status,
    instructions.c.epoch,
    instructions.c.mutator,
    instructions.c.rule,
)

calls = Table(
    "calls",
    metadata,
    Column("key", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("root_id", BigInteger),
    Column("epoch", Integer),
    Column("purpose", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("completion", Text, nullable=False),
    Column("finish_reason", Text, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("latency_s", Float, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("reasoning", Text),
    Column("reasoning_tokens", Integer),  # of the completion's tokens
)

batches = Table(
    "batches",
    metadata,
    Column("key", Text, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("provider", Text, nullable=False),
    Column("base_url", Text),
    Column("model", Text, nullable=False),
    Column("provider_id", Text),  # NULL until the provider has taken the batch
    Column("status", Text, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("reason", Text),
    Column(
        "asked", JSON(none_as_null=True)
    ),  # [call key, root_id, epoch, purpose] of each; NULL once collected
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("submitted_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("reserved_usd", Float),  # the most that its requests are expected to cost
    CheckConstraint(
        "status IN ('intended', 'submitted', 'cancelling', 'ended', 'cancelled', 'failed')",
        name="batches_status",
    ),
)

scores = Table(
    "scores",
    metadata,
    Column("instruction_id", _BigInt, ForeignKey("instructions.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Float),  # NULL where no figure came of it; details say why
    Column("model", Text, nullable=False),  # empty where no model was asked
    Column("version", Text, nullable=False),
    Column("details", JSON(none_as_null=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("instruction_id", "name", "model", "version", name="scores_once"),
)

responses = Table(
    "responses",
    metadata,
    Column("id", _BigInt, primary_key=True),  # given by the database
    Column("instruction_id", _BigInt, ForeignKey("instructions.id"), nullable=False),
    Column("sample", Integer, nullable=False),
    Column("response", Text),
    Column("reasoning", Text),
    Column("status", Text, nullable=False),
    Column("rule", Text),
    Column("reason", Text),
    Column("model", Text, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("cost_usd", Float),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("instruction_id", "model", "sample", name="responses_once"),
    CheckConstraint("status IN ('survivor', 'eliminated', 'failed')", name="responses_status"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("instruction_id", _BigInt, ForeignKey("instructions.id"), primary_key=True, autoincrement=False),
    Column("verdict", Text, nullable=False),
    Column("note", Text),
    Column("created_at", DateTime(timezone=True), primary_key=True),  # the newest counts
)


class Place(NamedTuple):
    """Where a row stands: all that its id says."""

    run: int
    ordinal: int
    epoch: int
    attempt: int


def first_and_last_id(run: int) -> tuple[int, int]:
    """Return the bounds, both included, of the ids that rows of a run can have."""
    return run << RUN_SHIFT, (run + 1 << RUN_SHIFT) - 1


def row_id(run: int, ordinal: int, epoch: int = 0, attempt: int = 0) -> int:
    """Return the id of a row: a seed's with ``epoch`` and ``attempt`` 0, an attempt's with both from 1.

    ``run * 2**40 + ordinal * 2**12 + epoch * 2**6 + attempt``; the ordinal is the seed's place in its pool.
    """
    return run << RUN_SHIFT | ordinal << ORDINAL_SHIFT | epoch << EPOCH_SHIFT | attempt


def place(id_: int) -> Place:
    """Take an id apart; the inverse of :func:`row_id`."""
    return Place(
        id_ >> RUN_SHIFT,
        id_ >> ORDINAL_SHIFT & MAX_ORDINAL,
        id_ >> EPOCH_SHIFT & MAX_EPOCH,
        id_ & MAX_ATTEMPT,
    )
