"""Claiming a run, and what is said of places where nothing can be opened."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from evolver.errors import RunBusyError, StoreError
from evolver_store.claim import claimed, is_claimed
from evolver_store.connect import open_for_writing
from evolver_store.connect import store_url as parse_url
from evolver_store.file_claim import claim_path
from evolver_store.key_locks import key_locks
from evolver_store.writer import Writer
from tests.postgres_fixture import MakeStore

HOLD = """
import sys
from evolver_store.claim import claimed
from evolver_store.connect import store_url
with claimed(store_url(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(url: str, run: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold a run until the block ends."""
    command = [sys.executable, "-c", HOLD, url, run]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def claims(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "-claim-" in path.name]


def test_a_run_is_claimed_by_one_alone_and_free_again_afterwards(store_url: str) -> None:
    url = parse_url(store_url)
    with claimed(url, "a"):
        with pytest.raises(RunBusyError, match=r"another process"), claimed(url, "a"):
            pass
        with claimed(url, "b"):
            pass
    with claimed(url, "a"):
        pass


def test_anybody_can_tell_whether_a_run_is_claimed_and_whether_others_work_on_the_store(
    store_url: str,
) -> None:
    url = parse_url(store_url)
    assert not is_claimed(url, "a")
    with claimed(url, "a"):
        assert is_claimed(url, "a")
        assert not is_claimed(url, "b")
        assert not key_locks(url, "a").others()
        assert key_locks(url, "b").others()
        with held_elsewhere(store_url, "b"):
            assert is_claimed(url, "b")
            assert key_locks(url, "a").others()
    assert not is_claimed(url, "a")


def test_a_claim_ends_with_its_process_however_that_ends(store_url: str) -> None:
    url = parse_url(store_url)
    with held_elsewhere(store_url, "a") as process:
        with pytest.raises(RunBusyError), claimed(url, "a"):
            pass
        process.kill()
        process.wait()
        while is_claimed(url, "a"):  # a server takes a moment to see that its client is gone
            pass
        with claimed(url, "a"):
            pass


def test_a_claim_lies_beside_the_store_for_its_owner_alone_and_goes_when_it_ends(tmp_path: Path) -> None:
    make_link = tmp_path / "link.db"
    make_link.symlink_to(tmp_path / "e.db")
    with claimed(parse_url(make_link), "a"):
        (name,) = claims(tmp_path)
        assert name.startswith("e.db-claim-")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        with pytest.raises(RunBusyError), claimed(parse_url(tmp_path / "e.db"), "a"):
            pass
    assert claims(tmp_path) == []


def test_a_group_that_shares_a_store_shares_its_claims(tmp_path: Path) -> None:
    (tmp_path / "e.db").touch()
    (tmp_path / "e.db").chmod(0o664)
    with claimed(parse_url(tmp_path / "e.db"), "a"):
        (name,) = claims(tmp_path)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o660


def test_a_file_that_was_left_is_no_claim(tmp_path: Path) -> None:
    url = parse_url(tmp_path / "e.db")
    claim_path(tmp_path / "e.db", "a").touch()
    assert not is_claimed(url, "a")
    with claimed(url, "a"):
        pass
    assert claims(tmp_path) == []


def test_a_claim_follows_no_link_and_waits_for_no_pipe(tmp_path: Path) -> None:
    url, path = parse_url(tmp_path / "e.db"), claim_path(tmp_path / "e.db", "a")
    path.symlink_to(tmp_path / "victim")
    with (
        pytest.raises(StoreError, match=r"cannot be claimed.*nothing was started.\nMake room"),
        claimed(url, "a"),
    ):
        pass
    assert not (tmp_path / "victim").exists()
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError, match="is no file"), claimed(url, "a"):
        pass


def test_a_claim_that_a_stranger_made_is_not_used(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make the files of others")
    path = claim_path(tmp_path / "e.db", "a")
    path.touch()
    os.chown(path, 65534, 65534)
    with (
        pytest.raises(StoreError, match="belongs to somebody else"),
        claimed(parse_url(tmp_path / "e.db"), "a"),
    ):
        pass


def test_a_claim_whose_connection_was_cut_is_taken_again(make_store: MakeStore) -> None:
    url = make_store("postgres")
    with claimed(parse_url(url), "a") as claim:
        cut(url)
        assert not is_claimed(parse_url(url), "a")
        claim.renew()
        assert is_claimed(parse_url(url), "a")
        claim.check()


def test_a_claim_that_another_took_after_a_cut_is_told_before_the_next_write(make_store: MakeStore) -> None:
    url = make_store("postgres")
    engine = open_for_writing(url)
    with claimed(parse_url(url), "a") as claim:
        writer = Writer(engine, claim=claim)
        writer.put_action(asked).result(timeout=30)
        cut(url)
        with held_elsewhere(url, "a"):
            with pytest.raises(RunBusyError):
                writer.put_action(asked).result(timeout=30)
            with pytest.raises(RunBusyError):
                writer.close()
            with pytest.raises(RunBusyError):
                claim.check()
    engine.dispose()


def asked(conn: Connection) -> None:
    conn.exec_driver_sql("SELECT 1")


def cut(url: str) -> None:
    """End every other session of a database, as a firewall or an administrator does."""
    engine = create_engine(url)
    with engine.connect() as conn:
        others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        conn.execute(text(f"{others} AND datname = current_database()")).all()
    engine.dispose()


def test_a_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    url = parse_url("postgresql://nobody:s3cret@127.0.0.1:1/x?password=s3cret")
    said = r"cannot be opened .*\nMake sure that the server"
    with pytest.raises(StoreError, match=said) as caught, claimed(url, "a"):
        pass
    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1:1/x" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://u:s3cret@h:bad/x", "://u:s3cret@h/x", "postgresql://u:s3cret@h:/:x:y"]
)
def test_a_url_that_cannot_be_parsed_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreError, match=r"nothing was opened.\nWrite sqlite:///FILE") as caught:
        parse_url(url)
    assert "s3cret" not in str(caught.value)


def test_another_kind_of_database_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(
        StoreError, match=r"not mysql; nothing was opened.\nName a file, as in --store evolve.db"
    ):
        parse_url("mysql://u:s3cret@h/x")


def test_a_folder_is_no_store_and_the_message_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened .*\nMake sure that it is a file"):
        open_for_writing(tmp_path)
