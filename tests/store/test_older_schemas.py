"""A store of an older evolver: read as it is, and brought up to date by the first run."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from evolver.cli.main import main
from evolver_store import migrate as migrate_module
from evolver_store.connect import open_for_writing, reading
from evolver_store.migrate import MIGRATIONS, SCHEMA_VERSION
from evolver_store.runs import find_run, list_runs
from evolver_store.schema import metadata, row_id

ROOT, CHILD = row_id(1, 0), row_id(1, 0, 1, 1)

_ROWS = (
    "INSERT INTO runs VALUES (1, 'old', 'finished', '{{}}', 'pool.json', 'abc', 1, 1, 0, 'offline', '0.1', {now},"
    " {now})",
    "INSERT INTO instructions VALUES ({root}, 1, {root}, NULL, 0, 0, 'seed', NULL, 'seed', NULL, NULL, 'Sing.', 'La.',"
    " NULL, 0, 0, NULL, NULL, {now})",
    "INSERT INTO instructions VALUES ({child}, 1, {root}, {root}, 1, 1, 'depth', 'deepen', 'survivor', NULL, NULL,"
    " 'Sing twice.', 'La la.', 'offline', 3, 4, NULL, '{{\"judge\": \"not_equal\"}}', {now})",
    "INSERT INTO calls VALUES ('00ff', 1, {root}, 1, 'evolve', 'openai', 'gpt', 'Sing twice.', 'stop', 3, 4, 0.5, 0.1,"
    " {now})",
)


@pytest.fixture(params=range(1, SCHEMA_VERSION))
def old_store(request: pytest.FixtureRequest, store_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a store as each older schema left it, with a run of one seed and one attempt."""
    version: int = request.param
    with monkeypatch.context() as patch:
        patch.setattr(migrate_module, "MIGRATIONS", MIGRATIONS[:version])
        patch.setattr(migrate_module, "SCHEMA_VERSION", version)
        engine = open_for_writing(store_url)
    now = f"'{datetime(2026, 1, 2, tzinfo=UTC):%Y-%m-%d %H:%M:%S}'"
    with engine.begin() as conn:
        for row in _ROWS:
            conn.execute(text(row.format(now=now, root=ROOT, child=CHILD).replace(":", "\\:")))
    engine.dispose()
    return store_url


def test_an_older_store_is_read_with_what_it_lacks_stood_in_for(old_store: str) -> None:
    with reading(old_store) as engine, engine.connect() as conn:
        (run,) = list_runs(conn)
        tables = [table for table in metadata.sorted_tables if table.name != "evolver_migrations"]
        named = {table.name: len(conn.execute(select(table)).all()) for table in tables}
    assert (run.name, run.kind, run.pool) == ("old", "evolve", "pool.json")
    assert named == {
        "batches": 0,
        "calls": 1,
        "runs": 1,
        "instructions": 2,
        "responses": 0,
        "reviews": 0,
        "scores": 0,
    }


def test_reading_an_older_store_changes_nothing_in_it(old_store: str) -> None:
    with reading(old_store) as engine, engine.connect() as conn:
        conn.execute(text("SELECT kind FROM runs")).all()
    with reading(old_store) as engine, engine.connect() as conn:
        assert "scores" not in inspect(conn).get_table_names()
        versions = conn.execute(text("SELECT COUNT(*) FROM evolver_migrations")).scalar_one()
    assert versions < SCHEMA_VERSION


@pytest.mark.parametrize(
    "command",
    [
        ["runs", "--json"],
        ["stats", "--json"],
        ["lineage", str(CHILD), "--json"],
        ["batches", "--json"],
        ["sql", "SELECT kind, reasoning FROM runs JOIN instructions ON run_id = runs.id", "--json"],
        ["sql", "--named", "mutator-yield", "--json"],
    ],
    ids=" ".join,
)
def test_every_reading_command_works_on_an_older_store(old_store: str, command: list[str]) -> None:
    done = CliRunner().invoke(main, [*command, "--store", old_store])
    assert done.exit_code == 0, done.output
    assert all(json.loads(line) for line in done.stdout.splitlines())


def test_migrating_keeps_every_row_view_and_link(old_store: str) -> None:
    with reading(old_store) as engine, engine.connect() as conn:
        before = conn.execute(text("SELECT * FROM instructions ORDER BY id")).mappings().all()
    engine = open_for_writing(old_store)
    with engine.begin() as conn:
        after = conn.execute(text("SELECT * FROM instructions ORDER BY id")).mappings().all()
        run = find_run(conn, "old")
        survivors = conn.execute(text("SELECT run, root_instruction FROM survivors")).all()
        attempts = conn.execute(text("SELECT run, attempts FROM epoch_summary")).all()
        conn.execute(text("UPDATE runs SET pool = NULL, pool_sha256 = NULL, kind = 'oss'"))
    engine.dispose()
    assert [dict(row) for row in after] == [dict(row) for row in before]
    assert run is not None
    assert (run.kind, run.seeds) == ("evolve", 1)
    assert survivors == [("old", "Sing."), ("old", "Sing.")]
    assert attempts == [("old", 1)]


def test_rows_still_have_to_belong_to_a_run_after_migrating(old_store: str) -> None:
    engine = open_for_writing(old_store)
    with engine.connect() as conn, pytest.raises(IntegrityError, match=r"(?i)foreign key"), conn.begin():
        conn.execute(text("DELETE FROM runs"))
    with engine.connect() as conn:
        assert find_run(conn, "old") is not None
    engine.dispose()


def test_a_migrated_sqlite_store_is_whole(old_store: str) -> None:
    if not old_store.startswith("sqlite"):
        return
    engine = open_for_writing(old_store)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        made = conn.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'instructions'").scalar_one()
    engine.dispose()
    assert "REFERENCES runs (id)" in made
