"""Batches: what is about to be submitted, what is in flight at a provider, and how each ended.

A row is written before a batch is submitted, so that a process that dies in between leaves a trace by which the
batch can be found again. While a batch is open its row names every request in it; the answers are rows of ``calls``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from evolver_store.errors import BatchMissingError
from evolver_store.schema import batches, calls

OPEN = ("intended", "submitted", "cancelling")
_SLICE = 500  # keys looked up at a time: below every database's limit of bound values


class Asked(NamedTuple):
    """One request of a batch: the key of its call, and on whose behalf it is made."""

    key: str
    root_id: int | None
    epoch: int | None
    purpose: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A row of ``batches`` but for its requests.

    ``status`` is ``intended`` (stored, perhaps submitted: the provider knows), ``submitted``, ``cancelling``, or how
    it ended: ``ended``, ``cancelled``, ``failed``. ``succeeded`` and ``failed`` count requests, as last seen.
    """

    key: str
    run_id: int
    provider: str
    base_url: str | None
    model: str
    provider_id: str | None
    status: str
    requests: int
    succeeded: int
    failed: int
    reason: str | None
    created_at: datetime
    submitted_at: datetime | None
    ended_at: datetime | None
    reserved_usd: float | None = None


_COLUMNS = [batches.c[field.name] for field in fields(Batch)]


def add_intent(
    conn: Connection,
    *,
    run_id: int,
    provider: str,
    base_url: str | None,
    model: str,
    asked: Sequence[Asked],
    reserved_usd: float | None = None,
    created_at: datetime | None = None,
) -> Batch:
    """Store that a batch is about to be submitted, and what is set aside for it; never commits.

    ``created_at`` is now by the provider's clock where that is known: by it the batch is found there again.

    Its key is the digest of its requests' keys and the number of the attempt: the same requests submitted once
    more, because they expired, make another batch.
    """
    digest = blake2b("\n".join(sorted(each.key for each in asked)).encode(), digest_size=6).hexdigest()
    earlier = select(func.count()).where(batches.c.key.startswith(f"{digest}-", autoescape=True))
    row: dict[str, Any] = {
        "key": f"{digest}-{conn.execute(earlier).scalar_one() + 1}",
        "run_id": run_id,
        "provider": provider,
        "base_url": base_url,
        "model": model,
        "provider_id": None,
        "status": "intended",
        "requests": len(asked),
        "succeeded": 0,
        "failed": 0,
        "reason": None,
        "created_at": created_at or datetime.now(UTC),
        "submitted_at": None,
        "ended_at": None,
        "reserved_usd": reserved_usd,
    }
    conn.execute(insert(batches), [{**row, "asked": [list(each) for each in asked]}])
    return Batch(**row)


def drop_intent(conn: Connection, key: str) -> None:
    """Forget a batch that was never submitted; never commits."""
    conn.execute(delete(batches).where(batches.c.key == key, batches.c.provider_id.is_(None)))


def set_submitted(conn: Connection, key: str, provider_id: str) -> None:
    """Store by which name the provider knows a batch; never commits.

    Raises:
        BatchMissingError: Its row has gone, so nobody would ever collect it.
    """
    values = {"provider_id": provider_id, "status": "submitted", "submitted_at": datetime.now(UTC)}
    changed = conn.execute(update(batches).where(batches.c.key == key).values(values)).rowcount
    if changed != 1:
        raise BatchMissingError(
            f"the batch {key} was submitted as {provider_id}, but its row has gone from the store, so its answers "
            "cannot be collected; the run stopped. Cancel it at the provider."
        )


def set_intended(conn: Connection, key: str) -> None:
    """Store that the provider's name for a batch was another batch's; never commits."""
    values = {"provider_id": None, "status": "intended", "submitted_at": None}
    conn.execute(update(batches).where(batches.c.key == key).values(values))


def set_counts(conn: Connection, key: str, succeeded: int, failed: int) -> None:
    """Store how far the provider is with a batch; never commits."""
    conn.execute(update(batches).where(batches.c.key == key).values(succeeded=succeeded, failed=failed))


def set_cancelling(conn: Connection, key: str) -> None:
    """Store that somebody cancelled an open batch; what it has answered is still to be collected. Never commits."""
    still_open = (batches.c.key == key) & batches.c.status.in_(OPEN)
    conn.execute(update(batches).where(still_open).values(status="cancelling"))


def close_batch(
    conn: Connection, key: str, status: str, *, succeeded: int, failed: int, reason: str | None = None
) -> None:
    """Store how a batch ended, and forget which requests were in it; never commits."""
    values = {
        "status": status,
        "succeeded": succeeded,
        "failed": failed,
        "reason": reason,
        "asked": None,
        "ended_at": datetime.now(UTC),
    }
    conn.execute(update(batches).where(batches.c.key == key).values(values))


def list_batches(conn: Connection) -> list[Batch]:
    """Return all batches, oldest first."""
    rows = conn.execute(select(*_COLUMNS).order_by(batches.c.created_at, batches.c.key))
    return [_batch(row) for row in rows]


def open_batches(conn: Connection, run_id: int | None = None) -> list[Batch]:
    """Return the batches that are not collected yet, oldest first; of one run, or of all."""
    return [
        batch
        for batch in list_batches(conn)
        if batch.status in OPEN and (run_id is None or batch.run_id == run_id)
    ]


def find_batch(conn: Connection, key: str, database: str) -> Batch:
    """Return the batch whose key, or whose name at the provider, is or begins with ``key``.

    Raises:
        BatchMissingError: There is none, or more than one.
    """
    found = [
        batch
        for batch in list_batches(conn)
        if key and (batch.key.startswith(key) or (batch.provider_id or "").startswith(key))
    ]
    exact = [batch for batch in found if key in (batch.key, batch.provider_id)]
    if len(exact or found) != 1:
        many = f"{len(found)} batches begin" if found else "no batch begins"
        raise BatchMissingError(
            f"{many} with {key!r} in {database}; nothing was done. 'evolve batches' lists them all."
        )
    return (exact or found)[0]


def asked_in(conn: Connection, key: str) -> list[Asked]:
    """Return the requests of an open batch that have no answer in the store yet."""
    stored = conn.execute(select(batches.c.asked).where(batches.c.key == key)).scalar_one() or []
    asked = [Asked(*each) for each in stored]
    answered = answered_keys(conn, [each.key for each in asked])
    return [each for each in asked if each.key not in answered]


def answered_keys(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Return those of ``keys`` whose call is in the store."""
    found: set[str] = set()
    for slice_ in _slices(keys):
        found.update(conn.execute(select(calls.c.key).where(calls.c.key.in_(slice_))).scalars())
    return found


def claimed_ids(conn: Connection) -> set[str]:
    """Return the providers' names of all batches that are known to be ours."""
    query = select(batches.c.provider_id).where(batches.c.provider_id.is_not(None))
    return set(conn.execute(query).scalars())


def _batch(row: Row[Any]) -> Batch:
    """Make a row; SQLite keeps no time zone, so it is said again that times are in UTC."""
    batch = Batch(**row._mapping)
    times = {name: getattr(batch, name) for name in ("created_at", "submitted_at", "ended_at")}
    return replace(batch, **{name: at and at.replace(tzinfo=at.tzinfo or UTC) for name, at in times.items()})


def _slices(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _SLICE] for start in range(0, len(keys), _SLICE))
