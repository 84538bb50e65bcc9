"""Output that nobody takes: a full disk, and a reader that has had enough."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evolver_store.connect import open_for_writing

EVOLVE = Path(sys.executable).with_name("evolve")
SQL = (
    "sql",
    "--json",
    "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    open_for_writing(tmp_path / "evolve.db").dispose()
    return tmp_path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("args", [("--help",), SQL])
def test_output_that_finds_no_room_is_one_sentence_and_exit_1(folder: Path, args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [EVOLVE, *args], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == (
        "evolve: the output could not be written (No space left on device); "
        "free space and run the same command again.\n"
    )


def test_a_reader_that_has_had_enough_is_told_nothing(folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [EVOLVE, *SQL], cwd=folder, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.returncode != 0
    assert done.stderr == ""
