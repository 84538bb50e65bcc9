"""Drills with the machine's clock: set back or ahead in the middle of a run, as far as the program can see."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from benchmarks.drills.ground import CALLS, Ground

_SOURCE = Path(__file__).with_name("hook") / "clock.c"


def clock_set(ground: Ground, by: int, *, batches: bool) -> str:
    """The clock is set by so many seconds in the middle of the run; the time since the start goes on as before."""
    compiler = shutil.which("cc")
    if compiler is None:
        return "not done: there is no C compiler to make the clock with"
    library, clock = ground.folder / "clock.so", ground.folder / "clock"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"], check=True
    )
    clock.write_bytes((0).to_bytes(4, "little"))
    if batches:
        ground.more = ["--batch", "--batch-poll", "0.1"]
        ground.server.configure(batch_seconds=0.5, batch_lose_answers=2)
    with ground.start(env={"LD_PRELOAD": str(library), "DRILL_CLOCK": str(clock)}) as command:
        if batches:
            ground.until_batches(2)
        else:
            ground.until_calls(CALLS // 3)
        with open(clock, "r+b") as file:  # in place: the program looks at this very file
            file.write(by.to_bytes(4, "little", signed=True))
        ended = command.wait()
    ground.stopped(ended, code=0, status="finished")
    newest = ground.count("SELECT MAX(CAST(strftime('%s', created_at) AS INTEGER)) FROM calls")
    oldest = ground.count("SELECT MIN(CAST(strftime('%s', created_at) AS INTEGER)) FROM calls")
    ground.check(f"the clock was not seen to be set: {oldest}, {newest}", newest - oldest > abs(by) - 600)
    ground.check(f"{ground.paid_twice()} answers paid twice", ground.paid_twice() <= 0)
    ground.finishes()
    return f"finished after {ended.seconds:.0f} s, nothing paid twice"
