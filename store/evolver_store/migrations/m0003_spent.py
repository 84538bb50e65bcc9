"""Widen the index on ``calls``: what a run has spent is then summed from it, without a look at 600,000 completions.

Written out rather than taken from ``schema``, so that it stays what it was when ``schema`` moves on.
"""

from __future__ import annotations

from sqlalchemy import Connection


def upgrade(conn: Connection) -> None:
    """Replace the index, inside the caller's transaction."""
    conn.exec_driver_sql("DROP INDEX calls_run")
    conn.exec_driver_sql(
        "CREATE INDEX calls_run ON calls"
        " (run_id, epoch, purpose, model, prompt_tokens, completion_tokens, cost_usd)"
    )
