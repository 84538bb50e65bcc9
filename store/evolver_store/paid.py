"""Calls that were paid for more than once: the first answer counts for the lineage, all of them for the money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, select

from evolver_store.schema import calls

_MOST = 500  # keys a query: below every database's limit of bound values


def paid_again(conn: Connection, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those of ``rows`` whose keys belong to other calls, with keys of their own under which to keep them.

    A row that is in the store already is none of them. The keys are computed, so to keep such a row again is safe.
    """
    stored = dict(_stored(conn, [row["key"] for row in rows]))
    return [row | {"key": _key(row)} for row in rows if stored.get(row["key"]) != _who(row)]


def _stored(conn: Connection, keys: Sequence[str]) -> Iterator[tuple[str, tuple[int, datetime]]]:
    columns = calls.c.key, calls.c.run_id, calls.c.created_at
    for start in range(0, len(keys), _MOST):
        query = select(*columns).where(calls.c.key.in_(keys[start : start + _MOST]))
        for row in conn.execute(query).mappings():
            yield row["key"], _who(dict(row))


def _who(row: Mapping[str, Any]) -> tuple[int, datetime]:
    at: datetime = row["created_at"]
    return row["run_id"], at if at.tzinfo else at.replace(tzinfo=UTC)


def _key(row: Mapping[str, Any]) -> str:
    run, at = _who(row)
    made = f"{row['key']} paid by run {run} at {at.astimezone(UTC).isoformat()}"
    return blake2b(made.encode(), digest_size=16).hexdigest()
