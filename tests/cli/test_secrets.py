"""What SECURITY.md promises about keys and passwords."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

KEY = "sk-this-key-must-stay-in-the-environment"
COMMAND = ("--pool", "pool.txt", "--epochs", "1", "--store", "sqlite:///secret-place.db", "--json")


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Finish a run in a folder, with keys in the environment and the store named by a URL; return the folder."""
    (tmp_path / "pool.txt").write_text("Name three uses of a brick.\n", encoding="utf-8")
    keys = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}
    done = subprocess.run(
        [sys.executable, "-c", "from evolver.cli.main import run; run()", *COMMAND],
        cwd=tmp_path,
        env={**os.environ, **keys},
        check=True,
        capture_output=True,
    )
    (tmp_path / "printed").write_bytes(done.stdout + done.stderr)
    return tmp_path


def test_no_key_is_written_or_printed_by_a_run(finished: Path) -> None:
    written = {path.name: path.read_bytes() for path in finished.iterdir()}

    assert {"secret-place.db", "evolved.jsonl", "printed"} <= set(written)
    assert [name for name, content in written.items() if KEY.encode() in content] == []


def test_the_address_of_the_store_is_not_kept_in_it(finished: Path) -> None:
    with closing(sqlite3.connect(finished / "secret-place.db")) as store:
        ((settings,),) = store.execute("SELECT settings FROM runs").fetchall()

    assert "store" not in json.loads(settings)
    assert "secret-place" not in settings
