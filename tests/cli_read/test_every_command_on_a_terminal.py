"""Every command on a real terminal, with a store, a pool, mutators, rules, names and a model that mean harm."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sqlalchemy import insert

from evolver import cli
from evolver.cli.main import COMMANDS
from evolver_store.connect import open_for_writing
from evolver_store.schema import instructions, runs
from tests.known_store import ROWS, a_run
from tests.obeyed import EVIL, obeyed_in, on_terminal

MARKUP = "[bold red]not bold[/bold red] :smiley: openai:m:x"
TEXT = f"Name three uses of a brick {EVIL} {MARKUP}"
_CODE = """
from evolver import mutator
from evolver.elimination.verdict import Drop


@mutator(family="depth")
def add(instruction):
    {evil!r}
    return instruction + {evil!r}


def rule(candidate):
    return Drop("rule", {evil!r})
"""
RUN = ("--epochs", "1", "--limit", "1")
CASES: dict[str, tuple[str, ...]] = {
    "run": ("run", "--pool", "pool.jsonl", *RUN, "--run", f"new {EVIL}", "-vv", "--answer-seeds", "all"),
    "run with files of one's own": (
        "run",
        "--pool",
        "pool.jsonl",
        *RUN,
        "--mutators",
        "mine.py:add",
        "--output",
        "b.jsonl",
    ),
    "run whose pool has an evil name": ("--pool", f"{EVIL}.jsonl", *RUN, "--output", "c.jsonl"),
    "run that cannot write": ("--pool", "pool.jsonl", *RUN, "--output", f"no/{EVIL}/x.jsonl"),
    "estimate": ("estimate", "--pool", "pool.jsonl", "--run", EVIL, "--model", f"openai:{EVIL}"),
    "check": (
        "check",
        "--pool",
        "pool.jsonl",
        "--model",
        f"ollama:{EVIL}",
        "--base-url",
        "http://127.0.0.1:9",
    ),
    "mutators": ("mutators", "--mutators", "mine.py:add"),
    "mutators --json": ("mutators", "--mutators", "mine.py:add", "--json"),
    "mutators --prompt": (
        "mutators",
        "--mutators",
        "mine.py:add",
        "--prompt",
        "add",
        "--instruction",
        TEXT,
    ),
    "merge": ("merge", "--run", f"first{EVIL}", "--output", f"out {EVIL}.jsonl", "--report", f"{EVIL}.json"),
    "merge --json": ("merge", "--run", f"first{EVIL}", "--output", "m.jsonl", "--json"),
    "merge of a file": ("merge", "--oss", f"{EVIL}.jsonl", "--output", "o.jsonl"),
    "runs": ("runs",),
    "batches": ("batches",),
    "stats": ("stats", "--run", f"first{EVIL}"),
    "rules": ("rules",),
    "audit": ("audit", f"{EVIL}.jsonl", "--rules", "mine.py:rule"),
    "audit --json": ("audit", f"{EVIL}.jsonl", "--rules", "mine.py:rule", "--json"),
    "compare": ("compare", f"first{EVIL}", f"first{EVIL}"),
    "lineage": ("lineage", "1", "--run", f"first{EVIL}", "--full"),
    "diff": ("diff", "1/1", "--run", f"first{EVIL}"),
    "completion": ("completion", "bash", "--install"),
    "trust": ("trust", f"{EVIL}.toml"),
    "trust --list": ("trust", "--list"),
    "sql": ("sql", "SELECT * FROM instructions"),
    "a command that is not there": (f"statz{EVIL}",),
    "an option that is not there": ("stats", f"--{EVIL}"),
}
_WITH_STORE = {"merge", "merge --json", "runs", "batches", "stats", "compare", "lineage", "diff", "sql"}
_STORES_OWN = {
    "run",
    "run with files of one's own",
    "run whose pool has an evil name",
    "run that cannot write",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose every file, and every text and name in it, holds what a terminal obeys."""
    folder = tmp_path_factory.mktemp("hostile")
    line = json.dumps({"instruction": TEXT, "input": "", "output": TEXT}) + "\n"
    for name in ("pool.jsonl", f"{EVIL}.jsonl"):
        (folder / name).write_text(line * 2, encoding="utf-8")
    (folder / "mine.py").write_text(_CODE.format(evil=EVIL), encoding="utf-8")
    (folder / f"{EVIL}.toml").write_text(
        f"run = {json.dumps(EVIL)}\nbase_url = 'http://x/'\n", encoding="utf-8"
    )
    engine = open_for_writing(str(folder / "evolve.db"))
    texts = dict.fromkeys(("instruction", "response", "model"), TEXT)
    with engine.begin() as conn:
        conn.execute(insert(runs), [{**a_run(1, f"first{EVIL}", 3), "pool": EVIL, "model": MARKUP}])
        dead = {
            "mutator": EVIL,
            "rule": EVIL,
            "reason": TEXT,
            "status": "eliminated",
            "details": {EVIL: EVIL},
        }
        rows = [{**ROWS[0], **texts}, {**ROWS[1], **texts}, {**ROWS[2], **texts, **dead}]
        conn.execute(insert(instructions), rows)
    engine.dispose()
    return folder


def test_every_command_is_among_those_that_are_tried() -> None:
    assert set(COMMANDS) <= {words[0] for words in CASES.values()}


@pytest.mark.parametrize("case", CASES)
def test_no_command_sends_a_terminal_what_it_would_obey(case: str, hostile: Path) -> None:
    store = ("--store", f"new {list(CASES).index(case)}.db") if case in _STORES_OWN else ()
    store = ("--store", "evolve.db") if case in _WITH_STORE else store
    home = str(hostile / f"home {EVIL}")
    env = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home, "EVOLVE_MAX_CALLS": "5"}

    got = on_terminal(*CASES[case], *store, folder=hostile, env=env)

    assert got
    assert b"Traceback" not in got
    assert obeyed_in(got) == []


def test_what_would_be_obeyed_is_seen() -> None:
    assert obeyed_in(b"plain \x1b[1mbold\x1b[0m \x1b[?25l\r\n") == []
    for sign in ("\x1b]52;c;x\x07", "\x1b[2J", "\u009b5n", "\u202e", "\x1b[8m", "\x08", "😀"):
        assert obeyed_in(f"a{sign}b".encode()) != []


def test_no_command_prints_but_by_the_ways_that_clean() -> None:
    ways = {"output.py", "terminal.py", "main.py"}
    printing = re.compile(r"click\.s?echo|\bConsole\(|(?<!def )(?<![\w.])print\(|\.write\(|echo_via_pager")
    kept = {
        ("completion.py", "stream.write("),
        ("sheet.py", "to.file.write("),
    }  # to a file; lines that are clean
    found = {
        (path.name, line.strip())
        for path in Path(cli.__file__).parent.glob("*.py")
        if path.name not in ways
        for line in path.read_text(encoding="utf-8").splitlines()
        if printing.search(line) and not any(path.name == name and text in line for name, text in kept)
    }
    assert found == set()
