"""Add ``batches``: what was submitted to a provider's batch API, and what is yet to be collected.

Written out rather than taken from ``schema``, so that it stays what it was when ``schema`` moves on.
"""

from __future__ import annotations

from sqlalchemy import Connection

_TABLE = """
CREATE TABLE batches (
    key TEXT NOT NULL PRIMARY KEY,
    run_id BIGINT NOT NULL,
    provider TEXT NOT NULL,
    base_url TEXT,
    model TEXT NOT NULL,
    provider_id TEXT,
    status TEXT NOT NULL CONSTRAINT batches_status
        CHECK (status IN ('intended', 'submitted', 'cancelling', 'ended', 'cancelled', 'failed')),
    requests INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    reason TEXT,
    asked {json},
    created_at {timestamp} NOT NULL,
    submitted_at {timestamp},
    ended_at {timestamp}
)
"""

_TYPES = {
    "sqlite": {"json": "JSON", "timestamp": "DATETIME"},
    "postgresql": {"json": "JSONB", "timestamp": "TIMESTAMP WITH TIME ZONE"},
}


def upgrade(conn: Connection) -> None:
    """Create the table, inside the caller's transaction."""
    conn.exec_driver_sql(_TABLE.format(**_TYPES[conn.dialect.name]))
