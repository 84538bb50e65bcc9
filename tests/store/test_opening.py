"""Opening a store: what is made, what is refused, and that reading leaves no trace."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, inspect, text

from evolver.errors import NewerStoreError, NotAStoreError, StoreError, StoreMissingError
from evolver_store import migrate as migrate_module
from evolver_store import sqlite_files
from evolver_store.connect import open_for_writing, reading, remove_if_new
from evolver_store.connect import store_url as parse_url
from evolver_store.migrate import SCHEMA_VERSION
from evolver_store.migrations import m0001_lineage
from evolver_store.schema import metadata


def make(store: str | Path) -> None:
    open_for_writing(store).dispose()


def test_a_new_store_has_the_tables_columns_and_indexes_of_the_schema(store_url: str) -> None:
    engine = open_for_writing(store_url)
    found = inspect(engine)
    for table in metadata.tables.values():
        assert [column["name"] for column in found.get_columns(table.name)] == [c.name for c in table.columns]
    assert set(found.get_view_names()) >= {"survivors", "epoch_summary"}
    names = {index["name"] for index in found.get_indexes("instructions")}
    assert {"instructions_parent", "instructions_epoch"} <= names
    (unique,) = found.get_unique_constraints("instructions")
    assert unique["column_names"] == ["run_id", "root_id", "epoch", "attempt"]
    engine.dispose()


def test_opening_twice_changes_nothing(store_url: str) -> None:
    make(store_url)
    make(store_url)
    with reading(store_url) as engine, engine.connect() as conn:
        versions = conn.execute(text("SELECT version FROM evolver_migrations")).scalars().all()
    assert versions == list(range(1, SCHEMA_VERSION + 1))


def test_sqlite_is_opened_durable_and_with_foreign_keys(tmp_path: Path) -> None:
    open_for_writing(
        tmp_path / "e.db"
    ).dispose()  # a store that is new is brought up to date, and set up by that
    engine = open_for_writing(tmp_path / "e.db")
    with engine.connect() as conn:
        settings = [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert settings == ["wal", 2, 1]


def test_a_writer_begins_at_once_so_that_two_wait_for_each_other(tmp_path: Path) -> None:
    engine = open_for_writing(tmp_path / "e.db")
    other = sqlite3.connect(tmp_path / "e.db", timeout=0)
    with engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
    engine.dispose()


def test_reading_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    make(tmp_path / "e.db")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with reading(tmp_path / "e.db") as engine, engine.connect() as conn:
        conn.execute(text("SELECT * FROM survivors")).all()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before == {"e.db": before["e.db"]}


def test_reading_does_not_make_a_missing_store(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="no store at"), reading(tmp_path / "typo.db"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_database_itself_refuses_a_write_by_a_reader(store_url: str) -> None:
    make(store_url)
    with reading(store_url) as engine, engine.connect() as conn:
        with pytest.raises(Exception, match=r"(?i)read-?only"):
            conn.execute(text("DELETE FROM runs"))
        conn.rollback()


def test_a_reader_sees_what_a_run_has_written_while_the_run_goes_on(tmp_path: Path) -> None:
    writer = open_for_writing(tmp_path / "e.db")
    with writer.begin() as conn:
        conn.exec_driver_sql("INSERT INTO evolver_migrations VALUES (0, '2026-01-01 00:00:00')")
    with reading(tmp_path / "e.db") as engine, engine.connect() as conn:
        assert conn.execute(text("SELECT COUNT(*) FROM evolver_migrations")).scalar() == SCHEMA_VERSION + 1
    writer.dispose()


def more(path: Path) -> Engine:
    writer = open_for_writing(path)
    with writer.begin() as conn:
        conn.exec_driver_sql("INSERT INTO evolver_migrations VALUES (0, '2026-01-01 00:00:00')")
    return writer


VERSIONS = text("SELECT COUNT(*) FROM evolver_migrations")


def test_a_reader_keeps_its_snapshot_when_a_run_begins_meanwhile_and_the_next_sees_more(
    tmp_path: Path,
) -> None:
    make(tmp_path / "e.db")
    with reading(tmp_path / "e.db") as engine:
        with engine.connect() as conn:
            before = conn.execute(VERSIONS).scalar_one()
            writer = more(tmp_path / "e.db")
            assert conn.execute(VERSIONS).scalar_one() == before == SCHEMA_VERSION
        with engine.connect() as conn:
            assert conn.execute(VERSIONS).scalar_one() == SCHEMA_VERSION + 1
    writer.dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["e.db"]


def test_a_run_that_begins_and_ends_while_a_store_is_read_disturbs_no_reader(tmp_path: Path) -> None:
    make(tmp_path / "e.db")
    with reading(tmp_path / "e.db") as engine, engine.connect() as conn:
        conn.execute(VERSIONS).scalar_one()
        more(tmp_path / "e.db").dispose()
        assert conn.execute(VERSIONS).scalar_one() == SCHEMA_VERSION
    with reading(tmp_path / "e.db") as engine, engine.connect() as conn:
        assert conn.execute(VERSIONS).scalar_one() == SCHEMA_VERSION + 1
    assert [path.name for path in tmp_path.iterdir()] == ["e.db"]


def test_a_store_that_must_not_be_written_to_is_read_and_a_change_meanwhile_is_told(tmp_path: Path) -> None:
    make(tmp_path / "e.db")
    mode = sqlite_files.TO_READ_WHAT_CANNOT_CHANGE
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_files, "way_to_read", lambda path: mode)  # root may write anywhere
        with reading(tmp_path / "e.db") as engine, engine.connect() as conn:
            conn.execute(VERSIONS).scalar_one()
            assert [path.name for path in tmp_path.iterdir()] == ["e.db"]
        with pytest.raises(StoreError, match="Run the same command again"), reading(tmp_path / "e.db"):
            more(tmp_path / "e.db").dispose()


def test_a_copy_without_its_log_says_what_is_missing(tmp_path: Path) -> None:
    writer = open_for_writing(tmp_path / "e.db")
    (tmp_path / "copy.db").write_bytes((tmp_path / "e.db").read_bytes())
    writer.dispose()
    said = r"copy.db-wal, .* is not beside it; nothing was read.\nWas the file copied alone"
    with pytest.raises(NotAStoreError, match=said), reading(tmp_path / "copy.db"):
        pass


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON instructions BEGIN DELETE FROM calls; END", "the trigger 't'"),
        ("CREATE VIEW mine AS SELECT 1", "the view 'mine'"),
        (
            "DROP VIEW survivors; CREATE VIEW survivors AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r)"
            " SELECT * FROM r",
            "the view 'survivors'",
        ),
        ("CREATE VIRTUAL TABLE v USING fts5(x)", "the virtual table 'v'"),
        ("ALTER TABLE calls ADD COLUMN g AS (hex(completion))", "the generated column 'g' of 'calls'"),
    ],
    ids=["trigger", "view", "our view", "virtual", "generated"],
)
def test_what_would_run_by_itself_in_a_strangers_store_is_refused(
    tmp_path: Path, statement: str, what: str
) -> None:
    make(tmp_path / "e.db")
    conn = sqlite3.connect(tmp_path / "e.db")
    conn.executescript(statement)
    conn.close()
    said = f"holds {what}, which evolver did not make; nothing was read or written"
    with pytest.raises(NotAStoreError, match=said), reading(tmp_path / "e.db"):
        pass
    with pytest.raises(NotAStoreError, match=said):
        open_for_writing(tmp_path / "e.db")


def test_a_table_and_an_index_of_the_users_own_are_no_harm(tmp_path: Path) -> None:
    make(tmp_path / "e.db")
    conn = sqlite3.connect(tmp_path / "e.db")
    conn.executescript("CREATE TABLE notes (x); CREATE INDEX by_model ON calls (model)")
    conn.close()
    make(tmp_path / "e.db")
    with reading(tmp_path / "e.db"):
        pass


def test_a_strangers_link_in_a_shared_folder_is_not_followed(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make the links of others")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "e.db").symlink_to(tmp_path / "target.db")
    os.chown(shared / "e.db", 65534, 65534, follow_symlinks=False)
    with pytest.raises(StoreError, match="is a link that another user made"):
        open_for_writing(shared / "e.db")
    assert not (tmp_path / "target.db").exists()
    os.chown(shared / "e.db", 0, 0, follow_symlinks=False)
    make(shared / "e.db")
    assert (tmp_path / "target.db").exists()


@pytest.mark.parametrize("content", [b"PK\x03\x04 no database at all" * 50, b"plain text\n" * 100])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.db"
    path.write_bytes(content)
    with pytest.raises(NotAStoreError, match="no SQLite database"):
        open_for_writing(path)
    with pytest.raises(NotAStoreError, match="no SQLite database"), reading(path):
        pass
    assert path.read_bytes() == content


def test_a_database_of_somebody_elses_is_refused_and_left_alone(store_url: str) -> None:
    engine = create_engine(url_of(store_url))
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE runs (distance INTEGER)"))
    with pytest.raises(NotAStoreError, match="holds other tables"):
        open_for_writing(store_url)
    with pytest.raises(NotAStoreError, match="no lineage in it"), reading(store_url):
        pass
    assert inspect(engine).get_table_names() == ["runs"]
    if engine.dialect.name == "sqlite":
        with engine.connect() as conn:
            assert conn.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    engine.dispose()


def test_a_newer_schema_is_refused_for_writing_and_for_reading(store_url: str) -> None:
    engine = open_for_writing(store_url)
    with engine.begin() as conn:
        conn.execute(text("INSERT INTO evolver_migrations VALUES (99, '2030-01-01 00:00:00')"))
    engine.dispose()
    with pytest.raises(NewerStoreError, match="schema 99, newer"):
        open_for_writing(store_url)
    with pytest.raises(NewerStoreError, match="schema 99, newer"), reading(store_url):
        pass


def test_a_migration_that_fails_leaves_nothing_of_itself(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(conn: Connection) -> None:
        m0001_lineage.upgrade(conn)
        raise RuntimeError("half way")

    make_empty = create_engine(url_of(store_url))
    monkeypatch.setattr(migrate_module, "MIGRATIONS", (broken,))
    with pytest.raises(RuntimeError, match="half way"):
        open_for_writing(store_url)
    assert "instructions" not in inspect(make_empty).get_table_names()
    monkeypatch.undo()
    make(store_url)
    make_empty.dispose()


def test_two_processes_may_make_the_same_store_at_once(store_url: str) -> None:
    code = "import sys; from evolver_store.connect import open_for_writing as o; o(sys.argv[1]).dispose()"
    both = [
        subprocess.Popen([sys.executable, "-c", code, store_url], stderr=subprocess.PIPE) for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said


@pytest.mark.parametrize(
    "store", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense://", ":memory:"]
)
def test_a_place_where_no_lineage_can_live_is_refused(store: str) -> None:
    with pytest.raises(StoreError, match="nothing was opened"):
        parse_url(store)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMissingError, match="does not exist"):
        open_for_writing(tmp_path / "nowhere" / "e.db")


def test_a_password_is_never_shown(postgres_url: str) -> None:
    wrong = postgres_url.replace("postgres@/postgres?", "postgres:sesame@/nowhere?")
    with pytest.raises(StoreError) as refused:
        open_for_writing(wrong)
    assert "sesame" not in str(refused.value)


def test_odd_characters_in_a_path_are_part_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1? 日本.db"
    make(path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    with reading(path):
        pass


def test_a_store_that_a_failed_start_made_goes_again_and_an_old_one_stays(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        with remove_if_new(parse_url(path)):
            make(path)
            raise RuntimeError("the pool is broken")

    make(tmp_path / "old.db")
    for name in ("old.db", "new.db"):
        with pytest.raises(RuntimeError):
            fail(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["old.db"]


def test_a_new_store_that_another_command_has_open_stays_when_the_first_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "e.db"

    def fail() -> Engine:
        with remove_if_new(parse_url(path)):
            make(path)
            other.append(more(path))
            raise RuntimeError("the pool is broken")

    other: list[Engine] = []
    with pytest.raises(RuntimeError):
        fail()
    assert path.exists()
    other[0].dispose()


def test_a_store_that_is_taken_away_while_it_is_opened_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "e.db"
    migrations = migrate_module.MIGRATIONS

    def take_away(conn: Connection) -> None:
        path.unlink(missing_ok=True)
        migrate_module.MIGRATIONS = migrations
        migrations[-1](conn)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate_module, "MIGRATIONS", (*migrations[:-1], take_away))
        make(path)
    with reading(path):
        pass


def url_of(store: str) -> str:
    return str(parse_url(store).render_as_string(hide_password=False))
