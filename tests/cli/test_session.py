"""The installed command in a process of its own: exit codes, messages, interruption, kill -9."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EVOLVE = Path(sys.executable).with_name("evolve")
Run = Callable[..., subprocess.CompletedProcess[str]]
MakeStore = Callable[[str], str]


@pytest.fixture
def evolve(tmp_path: Path) -> Run:
    """Run ``evolve`` in an empty folder, with no EVOLVE_* variable but those given."""

    def run(
        *args: str, env: dict[str, str] | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(EVOLVE), *args],
            cwd=tmp_path,
            env=clean_env(env),
            input=stdin,
            capture_output=True,
            text=True,
        )

    return run


def clean_env(more: dict[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVOLVE_")}
    return {**kept, **(more or {})}


def write_pool(path: Path, count: int = 40) -> Path:
    rows = [
        {
            "instruction": f"Write a note of {n} words about rivers.",
            "input": "",
            "output": f"Rivers, {n} times.",
        }
        for n in range(count)
    ]
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def lineage(store: Path) -> list[tuple[object, ...]]:
    columns = (
        "id, parent_id, epoch, attempt, family, mutator, status, rule, reason, instruction, response, details"
    )
    conn = sqlite3.connect(store)
    rows = conn.execute(f"SELECT {columns} FROM instructions ORDER BY id").fetchall()
    conn.close()
    return rows


def test_the_main_command_writes_store_and_dataset_and_tells_on_stderr_alone(
    evolve: Run, tmp_path: Path
) -> None:
    write_pool(tmp_path / "pool.json")
    done = evolve("--pool", "pool.json", "--epochs", "2")
    assert (done.returncode, done.stdout) == (0, "")
    assert "trains nothing" in done.stderr
    rows = [json.loads(line) for line in (tmp_path / "evolved.jsonl").read_text().splitlines()]
    assert set(rows[0]) == {"instruction", "output"}
    conn = sqlite3.connect(tmp_path / "evolve.db")
    (survivors,) = conn.execute("SELECT COUNT(*) FROM survivors").fetchone()
    assert conn.execute("SELECT DISTINCT model FROM instructions WHERE epoch > 0").fetchall() == [
        ("offline/1",)
    ]
    assert conn.execute("SELECT COUNT(*) FROM calls").fetchone() == (0,)
    assert conn.execute("SELECT status FROM runs").fetchall() == [("finished",)]
    conn.close()
    assert len(rows) == survivors


def test_json_gives_one_object_on_stdout(evolve: Run, tmp_path: Path) -> None:
    write_pool(tmp_path / "pool.json")
    done = evolve("run", "--pool", "pool.json", "--epochs", "1", "--json", "--quiet")
    figures = json.loads(done.stdout)
    assert done.stderr == ""
    assert figures["attempts"] == 40
    assert figures["dataset"]["rows"] == 40 + figures["survivors"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--pool", "nowhere.json"), "nowhere.json does not exist; nothing was written."),
        (("--pool", "pool.json", "--output", "data.csv"), ".jsonl"),
        (("--pool", "pool.json", "--output", "no/where.jsonl"), "no"),
        (("--pool", "pool.json", "--store", "no/where.db"), "does not exist; no store was made"),
        (("--pool", "pool.json", "--store", "pool.json"), "is no SQLite database"),
    ],
)
def test_bad_input_is_one_message_exit_1_and_nothing_written(
    evolve: Run, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    before = write_pool(tmp_path / "pool.json").read_bytes()
    done = evolve("run", *args)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"pool.json": before}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--epochs", "64"), "--epochs cannot be '64'"),
        (("--concurrency", "0"), "--concurrency cannot be '0'"),
        (("--temperature", "warm"), "--temperature cannot be 'warm'"),
        (("--format", "alpca"), "Did you mean 'alpaca'?"),
        (("--seed", "1", "--epochs", "1", "--seed=2"), "--seed is given 2 times"),
        (("--model", "opneai:x"), "Did you mean 'openai:x'?"),
        (("--model", "claude-haiku-4-5"), "Did you mean 'anthropic:claude-haiku-4-5'?"),
        (("--model", "openai/gpt-4.1-mini"), "Did you mean 'openai:gpt-4.1-mini'?"),
        (("--judge-model", "gpt-4.1-nano"), "Did you mean 'openai:gpt-4.1-nano'?"),
        (("--model", "gemini-2.5-flash"), "Did you mean 'google_genai:gemini-2.5-flash'?"),
        (("--mutators", "deepn"), "Did you mean 'deepen'?"),
        (("--skip-rules", "refusl"), "Did you mean 'refusal'?"),
        (("--rules", "refusl"), "Did you mean 'refusal'?"),
        (("--preset", "wizardlmm"), "Did you mean 'wizardlm'?"),
    ],
)
def test_a_wrong_value_of_an_option_is_wrong_usage_and_nothing_is_written(
    evolve: Run, tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    write_pool(tmp_path / "pool.json")
    done = evolve("run", "--pool", "pool.json", *args)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["pool.json"]


def test_wrong_usage_exits_with_2(evolve: Run) -> None:
    done = evolve("--pol", "x")
    assert done.returncode == 2
    assert "--pool" in done.stderr


def test_a_missing_pool_is_wrong_usage_and_exits_with_2(evolve: Run, tmp_path: Path) -> None:
    done = evolve("run")
    assert done.returncode == 2
    assert "--pool is missing" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default(evolve: Run, tmp_path: Path) -> None:
    write_pool(tmp_path / "pool.json", 3)
    (tmp_path / "evolve.toml").write_text('pool = "pool.json"\nepochs = 1\nseed = 5\nformat = "alpaca"\n')
    done = evolve("--seed", "7", "--quiet", env={"EVOLVE_EPOCHS": "2"})
    assert done.returncode == 0, done.stderr
    conn = sqlite3.connect(tmp_path / "evolve.db")
    assert conn.execute("SELECT epochs, seed FROM runs").fetchall() == [(2, 7)]
    conn.close()
    assert '"input": ""' in (tmp_path / "evolved.jsonl").read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("epoch = 3\n", "there is no setting 'epoch' ('epoch' in evolve.toml)"),
        ("epochs = 'four'\n", "'epochs' in evolve.toml cannot be 'four'"),
        ("epochs = \n", "evolve.toml cannot be read"),
    ],
)
def test_a_mistake_in_the_settings_file_is_named_with_its_place(
    evolve: Run, tmp_path: Path, content: str, said: str
) -> None:
    write_pool(tmp_path / "pool.json", 3)
    (tmp_path / "evolve.toml").write_text(content)
    done = evolve("--pool", "pool.json")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "evolve.db").exists()


def test_a_variable_with_an_impossible_value_is_named(evolve: Run, tmp_path: Path) -> None:
    write_pool(tmp_path / "pool.json", 3)
    done = evolve("--pool", "pool.json", env={"EVOLVE_EPOCHS": "many"})
    assert done.returncode == 1
    assert "EVOLVE_EPOCHS cannot be 'many'" in done.stderr


def test_a_pool_comes_from_stdin(evolve: Run, tmp_path: Path) -> None:
    done = evolve("--pool", "-", "--epochs", "1", "--quiet", stdin="Name a river.\nName a lake.\n")
    assert done.returncode == 0, done.stderr
    assert len([row for row in lineage(tmp_path / "evolve.db") if row[2] == 0]) == 2


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_writes_what_is_finished_names_the_command_and_the_command_goes_on(
    evolve: Run, tmp_path: Path, signum: signal.Signals
) -> None:
    write_pool(tmp_path / "pool.json", 1_500)
    command = ["--pool", "pool.json", "--epochs", "4", "--store", "a.db"]
    stopped = start(tmp_path, command)
    wait_for_attempts(tmp_path / "a.db", 200)
    stopped.send_signal(signum)
    said = stopped.communicate()[1]
    assert stopped.returncode == 130
    assert "evolve --pool pool.json --epochs 4 --store a.db" in said
    assert "Traceback" not in said
    conn = sqlite3.connect(tmp_path / "a.db")
    assert conn.execute("SELECT status FROM runs").fetchall() == [("stopped",)]
    conn.close()
    assert evolve(*command, "--quiet").returncode == 0
    assert (
        evolve(
            "--pool",
            "pool.json",
            "--epochs",
            "4",
            "--store",
            "whole.db",
            "--output",
            "whole.jsonl",
            "--quiet",
        ).returncode
        == 0
    )
    assert lineage(tmp_path / "a.db") == lineage(tmp_path / "whole.db")


def test_kill_9_at_several_moments_ends_in_the_lineage_of_an_undisturbed_run(
    evolve: Run, tmp_path: Path
) -> None:
    write_pool(tmp_path / "pool.json", 800)
    command = ["--pool", "pool.json", "--epochs", "3", "--store", "a.db"]
    for attempts in (0, 1, 400, 1_100, 1_900):
        killed = start(tmp_path, command)
        wait_for_attempts(tmp_path / "a.db", attempts)
        killed.kill()
        killed.communicate()
    assert evolve(*command, "--quiet").returncode == 0
    assert (
        evolve(
            "--pool",
            "pool.json",
            "--epochs",
            "3",
            "--store",
            "whole.db",
            "--output",
            "whole.jsonl",
            "--quiet",
        ).returncode
        == 0
    )
    assert lineage(tmp_path / "a.db") == lineage(tmp_path / "whole.db")
    assert not list(tmp_path.glob(".*.part"))


def start(folder: Path, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(EVOLVE), *command],
        cwd=folder,
        env=clean_env(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_attempts(store: Path, attempts: int) -> None:
    """Return once the store holds so many attempts; 0 means as soon as there is a file."""
    while True:
        if store.exists() and attempts == 0:
            return
        try:
            conn = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
            (count,) = conn.execute("SELECT COUNT(*) FROM instructions WHERE epoch > 0").fetchone()
            conn.close()
        except sqlite3.OperationalError:
            continue  # not there yet
        if count >= attempts:
            return


def test_a_run_that_another_process_works_on_is_refused_and_left_alone(evolve: Run, tmp_path: Path) -> None:
    write_pool(tmp_path / "pool.json", 3_000)
    first = start(tmp_path, ["--pool", "pool.json", "--store", "a.db"])
    wait_for_attempts(tmp_path / "a.db", 1)
    second = evolve("--pool", "pool.json", "--store", "a.db", "--output", "second.jsonl")
    first.send_signal(signal.SIGINT)
    first.communicate()
    assert second.returncode == 1
    assert "another process is working on the run" in second.stderr
    assert not (tmp_path / "second.jsonl").exists()
    assert (tmp_path / "a.db").exists()


def test_a_password_in_the_stores_address_is_not_shown(
    evolve: Run, tmp_path: Path, make_store: MakeStore
) -> None:
    write_pool(tmp_path / "pool.json", 2)
    store = make_store("postgres").replace("postgres@", "postgres:sesame@")
    for more in ((), ("--json",)):
        done = evolve("run", "--pool", "pool.json", "--epochs", "1", "--store", store, *more)
        assert done.returncode == 0, done.stderr
        assert "sesame" not in done.stdout + done.stderr
