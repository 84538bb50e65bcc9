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

from evolver.cli.session import _same_command
from evolver.models.registry import Setup
from evolver.session import Terms
from evolver.settings import given_settings

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


PASSWORD = "pw-0192-never-printed"
URL = f"postgresql://user:{PASSWORD}@127.0.0.1:1/db"


@pytest.mark.parametrize(
    "args",
    [
        ("--store", URL),
        ("--store", URL, "stats"),
        ("--store", URL, "--no-such-option"),
        ("--no-such-option", f"--store={URL}"),
        (f"--stor={URL}",),
        ("stats", URL),
        ("--epochs", URL),
        ("--pool", f"https://user:{PASSWORD}@host/pool.json"),
        ("--base-url", f"http://user:{PASSWORD}@host/v1", "--model", "x"),
        ("--base-url", f"http://host/v1?api_key={PASSWORD}", "--model", "x"),
        ("--model", f"openai:x@http://user:{PASSWORD}@host", "--max-cost", "1"),
        ("--output", f"https://user:{PASSWORD}@host/x.csv"),
        ("--mutators", f"https://user:{PASSWORD}@host/m.py:M"),
        ("sql", f"SELECT * FROM '{URL}'"),
    ],
)
def test_no_message_repeats_a_password_of_an_address(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "pool.txt").write_text("Name three uses of a brick.\n", encoding="utf-8")
    pool = () if "--pool" in args or "sql" in args or "stats" in args else ("--pool", "pool.txt")
    code = "from evolver.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code, *pool, *args],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENAI_API_KEY": KEY},
    )
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr + done.stdout


def test_the_command_that_goes_on_is_printed_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["evolve", "--pool", "a b.json", "--store", URL, "--model", KEY])
    monkeypatch.setenv("ACME_API_KEY", KEY)
    assert _same_command() == (
        "evolve --pool 'a b.json' --store 'postgresql://user:***@127.0.0.1:1/db' --model '[key]'"
    )


def test_nothing_shows_a_password_or_key_by_its_repr() -> None:
    settings = given_settings(pool="x", store=URL, base_url="http://host/v1")
    assert "http://host/v1" in repr(settings)
    for thing in (settings, Terms.of(settings), Setup("http://host/v1", PASSWORD)):
        assert PASSWORD not in f"{thing!r} {thing}"


def test_the_address_of_the_store_is_not_kept_in_it(finished: Path) -> None:
    with closing(sqlite3.connect(finished / "secret-place.db")) as store:
        ((settings,),) = store.execute("SELECT settings FROM runs").fetchall()

    assert "store" not in json.loads(settings)
    assert "secret-place" not in settings
