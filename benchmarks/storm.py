"""Kill the program again and again, at random, and see that nothing is lost or paid twice.

    python -m benchmarks.storm --seed 1 --kills 100 [--write]

Each kind of work (a live run, batches at both providers, a merge, the storing of a pool) is done once undisturbed and
then, on SQLite and on a real PostgreSQL, by the same command that is killed with SIGKILL at random moments until it
has come to its end. The provider is the simulated one, with faults. What must hold afterwards stands in
:mod:`benchmarks.storm_checks`. ``--write`` puts the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.llmsim.process import SimServer
from benchmarks.measure import EVOLVE, ROOT
from benchmarks.storm_checks import Outcome, Seen, as_table, check, seen
from benchmarks.storm_work import KINDS, SLOTS, Work, prepare
from tests.postgres_fixture import execute, postgres_server

_LONGEST = 120.0  # seconds after which a command that nobody has killed counts as hanging
_PAGE = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- storm -->", "<!-- end of storm -->"


@dataclass(slots=True)
class Place:
    """Where one round works: a folder, a store, and a provider of its own."""

    folder: Path
    store: str
    server: SimServer


@dataclass(slots=True)
class Storm:
    """All rounds of one seed.

    ``databases`` yields the URL of a place where no store is, by kind of database.
    """

    random: Random
    home: Path
    postgres: str
    rounds: int = 0
    undisturbed: dict[str, tuple[Seen, float]] = field(default_factory=dict)

    @contextmanager
    def place(self, database: str, work: Work, *, faults: bool) -> Iterator[Place]:
        """Yield a new place; it is removed again."""
        self.rounds += 1
        folder = self.home / f"round{self.rounds}"
        folder.mkdir()
        store = str(folder / "e.db")
        if database == "postgresql":
            name = f"storm{self.rounds}"
            execute(self.postgres, f"CREATE DATABASE {name} STRATEGY FILE_COPY")
            store = self.postgres.replace("/postgres?", f"/{name}?")
        with SimServer(**work.provider(faults)) as server:
            yield Place(folder, store, server)
        shutil.rmtree(folder)
        if database == "postgresql":
            execute(self.postgres, f"DROP DATABASE {name} WITH (FORCE)")

    def calm(self, work: Work) -> tuple[Seen, float]:
        """Return what the work leaves when nobody disturbs it, and the seconds it takes."""
        if work.name not in self.undisturbed:
            with self.place("sqlite", work, faults=False) as place:
                prepare(work, place.folder, place.store, place.server, self.command)
                began = time.monotonic()
                status = self.command(work.command(place.folder, place.store, place.server))
                if status is not None:
                    raise RuntimeError(f"{work.name}: {status}")
                self.undisturbed[work.name] = (
                    seen(work, place.folder, place.store, place.server),
                    time.monotonic() - began,
                )
        return self.undisturbed[work.name]

    def round(self, database: str, work: Work, most_kills: int) -> Outcome:
        """Kill one piece of work until it comes to its end, ``most_kills`` times at most; return what was seen."""
        calm, seconds = self.calm(work)
        outcome = Outcome(work.name, database, rounds=1)
        with self.place(database, work, faults=True) as place:
            prepare(work, place.folder, place.store, place.server, self.command)
            command = work.command(place.folder, place.store, place.server)
            last: Seen | None = None
            while outcome.kills < most_kills:
                after = self.random.uniform(0.2, 1.0) * seconds
                status = self.command(command, kill_after=after)
                if status != "killed":
                    break
                outcome.kills += 1
                now = seen(work, place.folder, place.store, place.server)
                outcome.compare(last, now, slots=SLOTS)
                last = now
            else:
                status = self.command(command)
            check(outcome, calm, last, seen(work, place.folder, place.store, place.server), status)
        return outcome

    def command(self, command: list[str], kill_after: float | None = None) -> str | None:
        """Run a command; return ``None`` where it came to its end, ``killed``, or what went wrong."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EVOLVE_")}
        environment |= {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "XDG_STATE_HOME": str(self.home)}
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                [EVOLVE, *command],
                cwd=self.home,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
            try:
                code = process.wait(kill_after or _LONGEST)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return "killed" if kill_after else f"still working after {_LONGEST:g} s"
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
        return None if code == 0 else f"exit {code}: {words[-400:]}"


def storm(seed: int, kills: int) -> list[Outcome]:
    """Kill so many times, spread over all kinds of work and both databases; return what was seen of each."""
    totals: dict[tuple[str, str], Outcome] = {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storm")))
        postgres = stack.enter_context(postgres_server())
        made = Storm(Random(seed), home, postgres)
        left = kills
        while left > 0:
            for work in KINDS:
                for database in work.databases:
                    if left <= 0:
                        break
                    outcome = made.round(database, work, min(left, made.random.randint(3, 8)))
                    left -= outcome.kills
                    known = totals.setdefault((work.name, database), Outcome(work.name, database))
                    known.add(outcome)
                    print(f"{kills - left:4} {outcome}", file=sys.stderr, flush=True)
    return list(totals.values())


def main() -> None:
    """Run a storm; the exit is 1 if anything was lost, paid twice or left behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    outcomes = storm(given.seed, given.kills)
    table = as_table(outcomes, given.seed)
    print(table)
    if given.write:
        page = _PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(_BEGIN)
        _PAGE.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{rest.partition(_END)[2]}", encoding="utf-8")
    sys.exit(any(outcome.wrong for outcome in outcomes))


if __name__ == "__main__":
    main()
