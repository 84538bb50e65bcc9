"""All drills, one after the other or some at a time, and the table of what was seen."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.drills.catalogue import DRILLS, Drill
from benchmarks.drills.ground import Ground
from benchmarks.drills.postgres import Postgres
from benchmarks.drills.provider import sim
from benchmarks.measure import ROOT
from benchmarks.storm_checks import lineage_digest

_PAGE = ROOT / "docs" / "reliability.md"
_BEGIN, _END = "<!-- drills -->", "<!-- end of drills -->"


@dataclass(slots=True)
class Drilled:
    """What came of a drill."""

    drill: Drill
    saw: str
    wrong: list[str]
    stall: tuple[float, float, str]
    seconds: float


@dataclass(slots=True)
class Field:
    """Where drills take place: one folder and one PostgreSQL, each drill in a corner of its own."""

    home: Path
    calm: dict[str, tuple[str, int]] = field(default_factory=dict)
    _making: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def ground(self, drill: Drill) -> Iterator[Ground]:
        """Make a place for a drill, and remove it again."""
        folder = self.home / drill.name
        folder.mkdir()
        with ExitStack() as stack:
            store = str(folder / "e.db")
            ground = Ground(folder, store, sim(), *self.undisturbed(drill.model), drill.model)
            stack.callback(lambda: ground.server.stop())
            if drill.database == "postgresql":
                ground.postgres = stack.enter_context(Postgres())
                ground.store = ground.postgres.url
            yield ground
        shutil.rmtree(folder)

    def undisturbed(self, model: str) -> tuple[str, int]:
        """Return the lineage that the run has when nobody disturbs it, and how many contents it asks for again."""
        with self._making:
            if model not in self.calm:
                folder = self.home / f"calm{len(self.calm)}"
                folder.mkdir()
                ground = Ground(folder, str(folder / "e.db"), sim(), "", 0, model)
                try:
                    with ground.start() as command:
                        ended = command.wait()
                    again = ground.server.stats()["repeated"]["total"]
                finally:
                    ground.server.stop()
                if ended.code != 0:
                    raise RuntimeError(f"the undisturbed run: {ended.said}")
                self.calm[model] = lineage_digest(ground.store), again
            return self.calm[model]

    def do(self, drill: Drill) -> Drilled:
        """Do one drill; a drill that cannot be done is wrong."""
        began = time.monotonic()
        with self.ground(drill) as ground:
            try:
                saw = drill.run(ground)
            except Exception as error:  # noqa: BLE001 - told in the table
                saw = ""
                ground.wrong.append(f"{type(error).__name__}: {error} {traceback.format_exc()[-600:]}")
            done = Drilled(drill, saw, ground.wrong, ground.stall, time.monotonic() - began)
        print(
            f"{'WRONG' if done.wrong else 'kept '} {drill.name} ({done.seconds:.0f} s; longest callback "
            f"{1000 * done.stall[0]:.0f} ms, {1000 * done.stall[1]:.0f} of them at work, {done.stall[2]}): {done.saw}",
            *(f"\n    {one}" for one in done.wrong),
            file=sys.stderr,
            flush=True,
        )
        return done


def as_table(done: list[Drilled]) -> str:
    """Return a table in Markdown."""
    rows = [
        f"| {one.drill.fault} | {one.drill.promise} | {one.saw}{_wrong(one)} | {1000 * one.stall[0]:.0f} ms |"
        for one in done
    ]
    return "\n".join(
        ["| fault | what is promised | what was seen | longest stall |", "|---|---|---|---|", *rows]
    )


def _wrong(one: Drilled) -> str:
    return f" **Broken: {'; '.join(one.wrong)}**" if one.wrong else ""


def write(page: Path, table: str) -> None:
    """Put the table between its marks.

    Raises:
        ValueError: The page has no place for it.
    """
    content = page.read_text(encoding="utf-8")
    before, begin, rest = content.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the drills")
    page.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", encoding="utf-8")


def main() -> int:
    """Run drills; return 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drills", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="drills whose name begins so; again for more"
    )
    parser.add_argument("--at-a-time", type=int, default=3, help="most of them only wait")
    parser.add_argument("--list", action="store_true", help="name them")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    chosen = [one for one in DRILLS if not given.only or one.name.startswith(tuple(given.only))]
    if given.list:
        print(*(one.name for one in chosen), sep="\n")
        return 0
    with tempfile.TemporaryDirectory(prefix="drills") as home, ThreadPoolExecutor(given.at_a_time) as crew:
        Path(home).chmod(0o755)
        done = list(crew.map(Field(Path(home)).do, chosen))
    table = as_table(done)
    print(table)
    if given.write:
        write(_PAGE, table)
    return int(any(one.wrong for one in done))
