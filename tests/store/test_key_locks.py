"""Locks on the keys of calls, told among all processes that work on a store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from evolver_store.connect import store_url as parse_url
from evolver_store.errors import StoreError
from evolver_store.file_key_locks import FileKeyLocks
from evolver_store.key_locks import KeyLocks, key_locks

ONE, TWO, THREE = "0" * 32, "f" * 32, "7f" * 16

HOLD = """
import sys
from evolver_store.connect import store_url
from evolver_store.key_locks import key_locks
locks = key_locks(store_url(sys.argv[1]), "elsewhere")
print(len(locks.take(sys.argv[2:])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def two(store_url: str) -> Iterator[tuple[KeyLocks, KeyLocks]]:
    locks = key_locks(parse_url(store_url), "a"), key_locks(parse_url(store_url), "b")
    yield locks
    for each in locks:
        each.close()


@contextmanager
def held_elsewhere(url: str, *keys: str) -> Iterator[subprocess.Popen[str]]:
    """Lock keys in another process while the block works."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, *keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"{len(keys)}\n"
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def test_a_key_is_one_runs_at_a_time_and_the_others_are_free(two: tuple[KeyLocks, KeyLocks]) -> None:
    a, b = two
    assert a.take([ONE, TWO]) == {ONE, TWO}
    assert b.take([ONE, TWO, THREE]) == {THREE}
    a.free([ONE, THREE])
    assert b.take([ONE, TWO]) == {ONE}
    assert a.take([THREE]) == set()


def test_a_key_taken_twice_is_free_once_it_is_given_back(two: tuple[KeyLocks, KeyLocks]) -> None:
    a, b = two
    assert a.take([ONE]) == a.take([ONE]) == {ONE}
    a.free([ONE])
    assert b.take([ONE]) == {ONE}


def test_one_run_has_the_lock_of_all_keys_and_who_asks_does_not_take_it(
    two: tuple[KeyLocks, KeyLocks],
) -> None:
    a, b = two
    assert not b.all_taken()
    assert a.take_all()
    assert b.all_taken()
    assert not b.take_all()
    assert b.take([ONE]) == {ONE}
    a.give_all()
    assert not b.all_taken()
    assert a.take_all()


def test_a_killed_process_holds_no_key(two: tuple[KeyLocks, KeyLocks], store_url: str) -> None:
    a, _ = two
    with held_elsewhere(store_url, ONE) as process:
        assert a.take([ONE, TWO]) == {TWO}
        process.kill()
        process.wait()
        while a.take([ONE]) != {ONE}:  # a server takes a moment to see that a connection has gone
            pass


def test_what_a_closed_run_held_is_free(two: tuple[KeyLocks, KeyLocks]) -> None:
    a, b = two
    a.take([ONE])
    a.take_all()
    a.close()
    assert b.take([ONE]) == {ONE}
    assert b.take_all()


def test_who_leaves_last_removes_the_file_beside_the_store(tmp_path: Path) -> None:
    first, second = FileKeyLocks(tmp_path / "e.db", "a"), FileKeyLocks(tmp_path / "e.db", "b")
    first.take([ONE])
    second.take([TWO])
    first.close()
    assert [path.name for path in tmp_path.iterdir()] == ["e.db-asking"]
    third = FileKeyLocks(tmp_path / "e.db", "c")
    assert third.take([ONE, TWO]) == {ONE}
    second.close()
    third.close()
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "e.db-asking").symlink_to(tmp_path / "mine")
    with pytest.raises(StoreError, match="cannot be used"):
        FileKeyLocks(tmp_path / "e.db", "a").take([ONE])
    assert (tmp_path / "mine").read_text() == "kept"


def test_a_connection_that_was_cut_is_made_again_and_holds_what_it_held(
    two: tuple[KeyLocks, KeyLocks], store_url: str
) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("only a server cuts connections")
    a, b = two
    assert a.take([ONE]) == {ONE}
    engine = create_engine(parse_url(store_url))
    with engine.connect() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ).all()
    engine.dispose()
    assert a.take([TWO]) == {TWO}
    assert b.take([ONE, TWO]) == set()
    a.free([ONE, TWO])
    assert b.take([ONE, TWO]) == {ONE, TWO}


def test_a_server_whose_table_of_locks_is_full_lets_everybody_ask(
    two: tuple[KeyLocks, KeyLocks], store_url: str
) -> None:
    if store_url.startswith("sqlite"):
        pytest.skip("a file holds any number of locks")
    a, _ = two
    many = [f"{number:08x}{'0' * 24}" for number in range(50_000)]
    assert a.take(many) == set(many)
    assert a.take([ONE]) == {ONE}
