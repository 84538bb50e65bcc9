"""Claiming a run, and what is said of places where nothing can be opened."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from evolver.errors import RunBusyError, StoreError
from evolver_store.claim import claimed
from evolver_store.connect import open_for_writing, store_url


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_run_is_claimed_by_one_alone_and_free_again_afterwards(temporary: Path, tmp_path: Path) -> None:
    url = store_url(tmp_path / "e.db")
    with claimed(url, "a"):
        with pytest.raises(RunBusyError, match=r"another process"), claimed(url, "a"):
            pass
        with claimed(url, "b"):
            pass
    with claimed(url, "a"):
        pass


def test_a_lock_that_cannot_be_opened_is_a_sentence_with_the_way_out(temporary: Path, tmp_path: Path) -> None:
    url = store_url(tmp_path / "e.db")
    with claimed(url, "a"):
        pass
    (lock,) = temporary.iterdir()
    lock.unlink()
    lock.mkdir()  # what even root cannot open to write
    with (
        pytest.raises(StoreError, match=r"cannot be locked .*nothing was started.\nRemove"),
        claimed(url, "a"),
    ):
        pass


def test_a_server_that_is_not_there_is_a_sentence_without_the_password() -> None:
    url = store_url("postgresql://nobody:s3cret@127.0.0.1:1/x?password=s3cret")
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
        store_url(url)
    assert "s3cret" not in str(caught.value)


def test_another_kind_of_database_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(
        StoreError, match=r"not mysql; nothing was opened.\nName a file, as in --store evolve.db"
    ):
        store_url("mysql://u:s3cret@h/x")


def test_a_folder_is_no_store_and_the_message_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be opened .*\nMake sure that it is a file"):
        open_for_writing(tmp_path)
