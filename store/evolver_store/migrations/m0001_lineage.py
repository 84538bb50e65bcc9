"""Create the lineage: runs, instructions, calls, and the two views.

Written out rather than taken from ``schema``, so that it stays what it was when ``schema`` moves on.
"""

from __future__ import annotations

from sqlalchemy import Connection

_TABLES = """
CREATE TABLE runs (
    id {bigint} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CONSTRAINT runs_status CHECK (status IN ('running', 'finished', 'stopped')),
    settings {json} NOT NULL,
    pool TEXT NOT NULL,
    pool_sha256 TEXT NOT NULL,
    seeds INTEGER,
    epochs INTEGER NOT NULL,
    seed BIGINT NOT NULL,
    model TEXT NOT NULL,
    evolver_version TEXT NOT NULL,
    created_at {timestamp} NOT NULL,
    finished_at {timestamp}
);
CREATE TABLE instructions (
    id {bigint} NOT NULL PRIMARY KEY,
    run_id {bigint} NOT NULL REFERENCES runs (id),
    root_id BIGINT NOT NULL,
    parent_id {bigint} REFERENCES instructions (id),
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    family TEXT NOT NULL,
    mutator TEXT,
    status TEXT NOT NULL
        CONSTRAINT instructions_status CHECK (status IN ('seed', 'survivor', 'eliminated', 'failed')),
    rule TEXT,
    reason TEXT,
    instruction TEXT,
    response TEXT,
    model TEXT,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_usd {double},
    details {json},
    created_at {timestamp} NOT NULL,
    CONSTRAINT instructions_attempt UNIQUE (run_id, root_id, epoch, attempt)
);
CREATE INDEX instructions_parent ON instructions (parent_id);
CREATE INDEX instructions_epoch ON instructions (run_id, status, epoch, mutator);
CREATE TABLE calls (
    key TEXT NOT NULL PRIMARY KEY,
    run_id BIGINT NOT NULL,
    root_id BIGINT,
    epoch INTEGER,
    purpose TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    completion TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_usd {double},
    latency_s {double} NOT NULL,
    created_at {timestamp} NOT NULL
);
CREATE INDEX calls_run ON calls (run_id, epoch, purpose);
CREATE VIEW survivors AS
    SELECT i.id, i.run_id, r.name AS run, i.root_id, i.parent_id, i.epoch, i.family, i.mutator, i.status,
           i.instruction, i.response, root.instruction AS root_instruction, i.model, i.created_at
    FROM instructions i
    JOIN runs r ON r.id = i.run_id
    JOIN instructions root ON root.id = i.root_id
    WHERE i.status IN ('seed', 'survivor') AND i.response IS NOT NULL;
CREATE VIEW epoch_summary AS
    SELECT i.run_id, r.name AS run, i.epoch, i.mutator,
           COUNT(*) AS attempts,
           SUM(CASE WHEN i.status = 'survivor' THEN 1 ELSE 0 END) AS survivors,
           SUM(CASE WHEN i.status = 'eliminated' THEN 1 ELSE 0 END) AS eliminated,
           SUM(CASE WHEN i.rule = 'no_information_gain' THEN 1 ELSE 0 END) AS no_information_gain,
           SUM(CASE WHEN i.rule = 'copied_prompt' THEN 1 ELSE 0 END) AS copied_prompt,
           SUM(CASE WHEN i.rule = 'refusal' THEN 1 ELSE 0 END) AS refusal,
           SUM(CASE WHEN i.rule = 'only_stop_words' THEN 1 ELSE 0 END) AS only_stop_words,
           SUM(CASE WHEN i.rule = 'truncated' THEN 1 ELSE 0 END) AS truncated,
           SUM(CASE WHEN i.status = 'eliminated' AND i.rule NOT IN
               ('no_information_gain', 'copied_prompt', 'refusal', 'only_stop_words', 'truncated')
               THEN 1 ELSE 0 END) AS other_rules,
           SUM(CASE WHEN i.status = 'failed' THEN 1 ELSE 0 END) AS failed,
           SUM(i.prompt_tokens) AS prompt_tokens,
           SUM(i.completion_tokens) AS completion_tokens,
           SUM(i.cost_usd) AS cost_usd
    FROM instructions i
    JOIN runs r ON r.id = i.run_id
    WHERE i.epoch > 0
    GROUP BY i.run_id, r.name, i.epoch, i.mutator;
"""

_TYPES = {
    "sqlite": {"bigint": "INTEGER", "json": "JSON", "timestamp": "DATETIME", "double": "FLOAT"},
    "postgresql": {
        "bigint": "BIGINT",
        "json": "JSONB",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "double": "DOUBLE PRECISION",
    },
}


def views() -> dict[str, str]:
    """Return the statements that made the views, by name: what a store is known by."""
    made = (statement.strip() for statement in _TABLES.split(";\n"))
    return {statement.split()[2]: statement for statement in made if statement.startswith("CREATE VIEW")}


def upgrade(conn: Connection) -> None:
    """Create everything, inside the caller's transaction."""
    for statement in _TABLES.format(**_TYPES[conn.dialect.name]).split(";\n"):
        if statement.strip():
            conn.exec_driver_sql(statement)
