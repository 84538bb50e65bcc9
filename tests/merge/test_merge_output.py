"""A dataset is there whole or not at all, and what stood in its place is safe until then."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evolver.errors import OutputError, StoreError
from evolver.merge.dataset import merge
from evolver.merge.job import MergeSettings, RunSource
from evolver.merge.output import check_output, replacing

Plant = Callable[..., RunSource]

MERGE_AND_WAIT = """
import sys
from pathlib import Path
from evolver.merge.dataset import merge
from evolver.merge.job import MergeSettings, RunSource
from evolver_store.connect import reading

def wait(done, total):
    print(done, flush=True)
    sys.stdin.read()

with reading(sys.argv[1]) as engine:
    merge([RunSource(engine, 1, "run1")], Path(sys.argv[2]), MergeSettings(), on_progress=wait)
"""


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def big(plant: Plant, tmp_path: Path) -> RunSource:
    """More than one slice, in a folder of its own."""
    (tmp_path / "store").mkdir()
    return plant(tmp_path / "store" / "s.db", [(place, 0, str(place), "x" * 1000) for place in range(2001)])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_merge_killed_in_the_middle_leaves_the_older_file_as_it_was(
    big: RunSource, tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "o.jsonl"
    output.write_text("older")
    command = [sys.executable, "-c", MERGE_AND_WAIT, str(tmp_path / "store" / "s.db"), str(output)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2000\n"
        process.send_signal(number)
        process.wait()

    assert output.read_text() == "older"
    assert process.returncode != 0
    if number == signal.SIGINT:
        assert files(tmp_path) == {"store", "o.jsonl"}


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
def test_an_interrupt_removes_what_was_written_so_far(big: RunSource, tmp_path: Path, ending: str) -> None:
    def interrupt(_done: int, _total: int) -> None:
        assert len(files(tmp_path)) == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge([big], tmp_path / f"o.{ending}", MergeSettings(), on_progress=interrupt)

    assert files(tmp_path) == {"store"}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet"])
def test_a_full_disk_is_one_sentence_and_leaves_the_older_file(
    plant: Plant, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "store").mkdir()
    noise = os.urandom(1000).hex()
    source = plant(tmp_path / "store" / "s.db", [(place, 0, noise, noise) for place in range(3)])
    output = tmp_path / f"o.{ending}"
    output.write_text("older")

    with (
        files_of_at_most(100),
        pytest.raises(OutputError, match=r"cannot be written .*; it is as it was before"),
    ):
        merge([source], output, MergeSettings())

    assert output.read_text() == "older"
    assert files(tmp_path) == {"store", output.name}


def test_a_folder_that_is_not_there_is_named(big: RunSource, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"the folder .*missing does not exist"):
        merge([big], tmp_path / "missing" / "o.jsonl", MergeSettings())

    assert files(tmp_path) == {"store"}


def test_a_folder_is_no_output(big: RunSource, tmp_path: Path) -> None:
    (tmp_path / "o.json").mkdir()

    with pytest.raises(OutputError, match="is a folder"):
        merge([big], tmp_path / "o.json", MergeSettings())


def test_a_device_or_pipe_is_no_output(big: RunSource, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "null.jsonl").symlink_to("/dev/null")

    for name in ("pipe.jsonl", "null.jsonl"):
        with pytest.raises(OutputError, match="is a device or a pipe"):
            merge([big], tmp_path / name, MergeSettings())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_must_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(OutputError, match="must not be written to"):
        check_output(tmp_path / "o.jsonl")


def test_a_link_stays_and_what_it_points_to_is_replaced(big: RunSource, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("older")
    (tmp_path / "o.jsonl").symlink_to("real")

    merge([big], tmp_path / "o.jsonl", MergeSettings())

    assert (tmp_path / "o.jsonl").is_symlink()
    assert (tmp_path / "real").stat().st_size > 2_000_000


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "any").touch()

    with replacing(tmp_path / "o.jsonl"):
        pass

    assert (tmp_path / "o.jsonl").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").touch(mode=0o600)

    with replacing(tmp_path / "o.jsonl") as file:
        file.write(b"new")

    assert stat.S_IMODE((tmp_path / "o.jsonl").stat().st_mode) == 0o600
    assert (tmp_path / "o.jsonl").read_bytes() == b"new"


def test_a_damaged_store_is_one_sentence_and_no_file(big: RunSource, tmp_path: Path) -> None:
    with big.engine.begin() as conn:
        conn.exec_driver_sql("UPDATE instructions SET response = CAST(x'fffe' AS TEXT) WHERE id % 4096 = 0")

    with pytest.raises(StoreError, match=r"the store cannot be read .*no dataset was written"):
        merge([big], tmp_path / "o.jsonl", MergeSettings())

    assert files(tmp_path) == {"store"}
