"""Send secrets through every door while runs fail, are killed and go on, and look for them in all that is left behind.

    python scripts/hunt_secrets.py --secrets 500 --seed 0

A secret goes in as a key in a variable, of any name; a token of another service; the password of a store; the user, the
password or the query of an address; the key, header or binding of a chat model object; the variable of a model of one's
own. The commands are the real ones, in processes of their own. The server they ask is a simulated provider that repeats
the key it was asked with, in one of twenty forms: in errors, codes, redirects, reasons for an end, completions, results
of batches. Stores with what lies beside them, outputs, logs, stdout, stderr and the list of processes are then searched
for 12 signs of a secret in a row, as they are or encoded. What is found is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from urllib.parse import quote

from benchmarks.llmsim.process import SimServer
from scripts.echo_server import EchoServer
from scripts.secret_forms import FORMS, Secret, drawn, found_in

ROOT = Path(__file__).resolve().parents[1]
EVOLVE = (sys.executable, "-c", "from evolver.cli.main import run; run()")
POOL = "".join(f"Name {n} uses of a brick, and why.\n" for n in range(3, 15))
FAULTS = {
    "rate_429": 0.05,
    "retry_after": 0.0,
    "rate_500": 0.05,
    "rate_malformed": 0.03,
    "rate_refusal": 0.05,
    "rate_filter": 0.05,
    "batch_rate_errored": 0.2,
}
_SERVED = 12
"""Requests that a command is served before it is killed."""


@dataclass
class Hunt:
    """A folder, a server that repeats keys, the secrets that went in, and all that commands printed."""

    folder: Path
    server: EchoServer
    rng: Random
    secrets: list[Secret] = field(default_factory=list)
    printed: list[tuple[str, bytes]] = field(default_factory=list)

    def secret(self, door: str) -> str:
        """Draw a secret that goes in by some door."""
        made = Secret(drawn(self.rng), door)
        self.secrets.append(made)
        return made.value

    def evolve(
        self, *args: str, variables: dict[str, str] | None = None, killed_after: int | None = None
    ) -> None:
        """Run a command to its end, or kill it after so many requests."""
        self._run([*EVOLVE, *args], None, killed_after, variables or {})

    def several(self, *commands: tuple[dict[str, str], Sequence[str]]) -> None:
        """Run commands, each with variables, in one process after the other; its own call shows none of their words."""
        self._run(
            [sys.executable, str(ROOT / "scripts/hunted.py"), "commands"], json.dumps(commands), None, {}
        )

    def objects(self, *given: dict[str, str]) -> None:
        """Run from Python with chat models that hold these keys."""
        self._run([sys.executable, str(ROOT / "scripts/hunted.py"), "objects"], json.dumps(given), None, {})

    def _run(
        self, command: list[str], typed: str | None, killed_after: int | None, variables: dict[str, str]
    ) -> None:
        out, err = self.folder / "stdout", self.folder / "stderr"
        target = None if killed_after is None else self.server.requests + killed_after
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(variables),
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
            )
            if target is not None and self.server.reached(target):
                process.kill()
            process.communicate(None if typed is None else typed.encode())
        label = " ".join(command[2:5])
        self.printed += [(f"stdout of {label}", out.read_bytes()), (f"stderr of {label}", err.read_bytes())]
        if target is not None:
            self.printed += [(f"{label}, killed: {name}", content) for name, content in self.left()]

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("EVOLVE_") and not name.endswith(("_API_KEY", "_TOKEN", "PASSWORD"))
        }
        homes = dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(self.folder / "home"))
        return {**kept, **homes, "PYTHONPATH": str(ROOT), **variables}

    def left(self) -> Iterator[tuple[str, bytes]]:
        """Yield what lies in the folder now."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.folder)), path.read_bytes()

    def found(self) -> Counter[str]:
        """Return which secrets were found where, and what went wrong besides."""
        processes = ("the list of processes", b"\n".join(self.server.seen))
        told: Counter[str] = Counter()
        for place, content in [*self.left(), *self.printed, processes]:
            told.update(f"{secret.door}: found in {place}" for secret in found_in(content, self.secrets))
            if place.startswith("stderr") and b"Traceback" in content:
                told[f"a traceback in {place}"] += 1
        return told


def _asking(hunt: Hunt, model: str, path: str, store: str = "e.db") -> tuple[str, ...]:
    files = ("--store", store, "--output", f"{store}.jsonl", "--log", "log", "-vv", "--force")
    limits = ("--epochs", "2", "--yes", "--concurrency", "4", "--price-in", "1", "--price-out", "1")
    return ("--pool", "pool.txt", "--model", model, "--base-url", hunt.server.url + path, *files, *limits)


_TOKENS = ("HF_TOKEN", "ACME_SECRET", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "GITHUB_PAT", "X_PRIVATE_KEY")


def by_variables(hunt: Hunt) -> None:
    """Keys of two providers, one in a variable of any name, and secrets of other services: killed, then to the end."""
    more = {name: hunt.secret(name) for name in ("OPENAI_API_KEY", *_TOKENS)}
    more["DATABASE_URL"] = f"postgresql://u:{quote(hunt.secret('DATABASE_URL'), safe='')}@host/db"
    asked = _asking(hunt, "openai:m", "/v1")
    hunt.evolve(*asked, killed_after=_SERVED, variables=more)
    hunt.evolve(*asked, variables=more)
    named = {"MINE": hunt.secret("--key-variable MINE")}
    hunt.evolve(*_asking(hunt, "anthropic:m", ""), "--key-variable", "MINE", variables=named)
    outputs = ("--output", "merged.jsonl", "--report", "report.json", "--provenance")
    reading = ("stats", "runs --json", "batches --json", "lineage --grep brick --json", "lineage --graphml")
    asking = (["sql", f"SELECT * FROM {table}", "--json"] for table in ("calls", "instructions", "runs"))
    words = [*(each.split() for each in reading), *asking, ["merge", *outputs]]
    hunt.several(*(({}, [*each, "--store", "e.db"]) for each in words))


def by_batches(hunt: Hunt) -> None:
    """A key in batches, whose results and failures repeat it: killed, then to the end."""
    for model, path, variable in (("openai:m", "/v1", "OPENAI_API_KEY"), ("anthropic:m", "", "MINE")):
        key = {variable: hunt.secret(f"{variable} in batches")}
        batches = ("--batch", "--batch-poll", "0.05", "--batch-min", "1", "--key-variable", variable)
        asked = (*_asking(hunt, model, path, f"{variable}.db"), *batches)
        hunt.evolve(*asked, killed_after=4, variables=key)
        hunt.evolve(*asked, variables=key)
        reading = (["batches", "--json"], ["sql", "SELECT * FROM batches", "--json"])
        hunt.several(*(({}, [*each, "--store", f"{variable}.db"]) for each in reading))


def by_refusals(hunt: Hunt) -> None:
    """Keys that a server refuses, with what it was sent in every word and header; check and estimate."""
    commands: list[tuple[dict[str, str], Sequence[str]]] = []
    for status in (302, 400, 401, 402, 403, 404):
        for model, variable in (("openai:m", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY")):
            key = {variable: hunt.secret(f"{variable}, answered {status}")}
            commands.append((key, _asking(hunt, model, f"/refuse/{status}", f"{model[:4]}{status}.db")))
    hunt.several(*commands)
    asked = ("--pool", "pool.txt", "--model", "openai:m", "--base-url", f"{hunt.server.url}/v1")
    hunt.evolve("check", *asked, "--json", variables={"OPENAI_API_KEY": hunt.secret("check")})
    hunt.evolve("estimate", *asked, variables={"OPENAI_API_KEY": hunt.secret("estimate")})


def by_addresses(hunt: Hunt) -> None:
    """Passwords and keys in addresses of stores, servers, pools and outputs, also where they do not belong."""

    def word(door: str) -> str:
        return quote(hunt.secret(door), safe="")

    host = hunt.server.url.removeprefix("http://")
    ask = ["--pool", "pool.txt", "--yes", "--model", "m"]
    commands = (
        ["stats", "--store", f"postgresql://u:{word('store')}@127.0.0.1:1/db?connect_timeout=1"],
        [*ask, "--store", f"postgresql://u:{word('store of a run')}@127.0.0.1:1/db"],
        ["stats", "--store", f"postgresql://u:{word('store and a mistake')}@127.0.0.1:1/db", "--nothing"],
        ["merge", "--store", f"postgresql://127.0.0.1:1/db?user=u&password={word('store, as a parameter')}"],
        [*ask, "--base-url", f"http://u:{word('base URL')}@{host}/v1"],
        [*ask, "--base-url", f"http://{word('user of a base URL')}@{host}/v1"],
        [*ask, "--base-url", f"http://{host}/v1?api_key={word('query of a base URL')}"],
        ["--pool", f"https://{word('user of a pool')}@host/pool.json", "--store", "e.db"],
        ["--pool", f"https://host/pool.json?token={word('query of a pool')}", "--store", "e.db"],
        ["--pool", "pool.txt", "--output", f"https://u:{word('output')}@host/x.jsonl", "--store", "e.db"],
        ["--pool", "pool.txt", "--mutators", f"https://u:{word('mutator')}@host/m.py:M", "--store", "e.db"],
        ["lineage", "1", "--store", f"mysql://u:{word('store of another kind')}@host/db"],
        ["sql", f"SELECT * FROM 'postgresql://u:{word('SQL')}@host/db'", "--store", "e.db"],
    )
    password = {"PGPASSWORD": hunt.secret("PGPASSWORD")}
    there = ["stats", "--store", "postgresql://u@127.0.0.1:1/db?connect_timeout=1"]
    hunt.several((password, there), *(({}, each) for each in commands))


def by_objects(hunt: Hunt) -> None:
    """Keys in chat model objects, wherever they hold them, which fail with what they hold; a model of one's own."""
    doors = (
        "api_key",
        "text",
        "header",
        "bind",
        "with_retry",
        "fallback",
        "callable",
        "chain",
        "own",
        "answer",
    )
    forms = hunt.rng.sample(sorted(FORMS), 3)
    given = (
        {**{door: hunt.secret(f"object: {door}, {form}") for door in doors}, "form": form} for form in forms
    )
    hunt.objects(*given)


DOORS: tuple[Callable[[Hunt], None], ...] = (by_variables, by_batches, by_refusals, by_addresses, by_objects)


@contextmanager
def hunting(seed: int) -> Iterator[Hunt]:
    """Yield a hunt in a folder of its own, with a provider behind a server that repeats keys."""
    settings = {**FAULTS, "seed": seed, "style": "offline"}
    with tempfile.TemporaryDirectory() as folder, SimServer(**settings) as provider:
        (Path(folder) / "pool.txt").write_text(POOL, encoding="utf-8")
        server = EchoServer(provider.url, seed)
        with server.serving():
            yield Hunt(Path(folder), server, Random(seed))


def hunt_through(door: Callable[[Hunt], None], seed: int) -> tuple[int, Counter[str]]:
    """Send secrets in by a door; return how many, and where they were found."""
    with hunting(seed) as hunt:
        door(hunt)
        return len(hunt.secrets), hunt.found()


def main() -> None:
    """Hunt until so many secrets went in, and tell what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--secrets", type=int, default=70)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sent, seed, found = 0, given.seed, Counter[str]()
    while sent < given.secrets:
        more, places = hunt_through(DOORS[seed % len(DOORS)], seed)
        sent, seed, found = sent + more, seed + 1, found + places
        print(f"{sent} secrets, found {found.total()} times", file=sys.stderr)
    for where, times in found.most_common():
        print(f"{times} x {where}")
    print(f"{sent} secrets through {len(DOORS)} kinds of doors: found {found.total()} times")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
