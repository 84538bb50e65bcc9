"""What a drill slips into the program from outside; Python imports it first where its folder is on PYTHONPATH.

``DRILL_STALLS=FILE``
    writes down at the end how many seconds after its start the event loop went to work, and the longest time for which
    one callback kept it: seconds, without those for which the machine gave it no processor (Linux), what of them was
    spent at work, and which callback it was.
``DRILL_WRITER=N``
    ends the writer's thread at its N-th transaction.
``DRILL_HALT=FOLDER``
    halts the program before it writes how the run ended: makes the file ``at-end`` there and waits for ``go``.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def watch_stalls(report: Path) -> None:
    """Time every callback of every event loop."""
    run = asyncio.Handle._run
    longest: list[Any] = [0.0, 0.0, ""]
    first: list[float] = []
    kept_waiting = _kept_waiting()

    def timed(handle: Any) -> None:
        if not first:
            first.append(time.monotonic() - float(os.environ["DRILL_BEGAN"]))
        began, worked, waited = time.perf_counter(), time.thread_time(), kept_waiting()
        run(handle)
        took = time.perf_counter() - began
        if took > longest[0] and (took := took - (kept_waiting() - waited)) > longest[0]:
            longest[:] = took, time.thread_time() - worked, " ".join(repr(handle).split())[:300]

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]
    atexit.register(
        lambda: report.write_text(
            f"{first[0] if first else 0:.2f} {longest[0]:.4f} {longest[1]:.4f} {longest[2]}", encoding="utf-8"
        )
    )


def _kept_waiting() -> Callable[[], float]:
    """Return what tells for how many seconds this thread was ready to work and had no processor."""
    try:
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return lambda: 0.0
    return lambda: int(os.pread(file, 100, 0).split()[1]) / 1e9


def halt_at_end(folder: Path) -> None:
    """Halt in the thread that is about to write a run's last state."""
    from evolver_store import runs

    update = runs.update_run

    def halted(*given: Any, **fields: Any) -> None:
        if "finished_at" in fields and fields["status"] != "running":
            (folder / "at-end").touch()
            while not (folder / "go").exists():
                time.sleep(0.02)
        update(*given, **fields)

    runs.update_run = halted


def end_writer(after: int) -> None:
    """Raise in the writer's thread what nothing that writes is expected to raise."""
    from evolver_store.writer import Writer

    transaction, left = Writer._transaction, [after]

    def ended(self: Writer, batch: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise SystemExit("ended by a drill")
        transaction(self, batch)

    Writer._transaction = ended  # type: ignore[method-assign]


if "DRILL_STALLS" in os.environ:
    watch_stalls(Path(os.environ["DRILL_STALLS"]))
if "DRILL_HALT" in os.environ:
    halt_at_end(Path(os.environ["DRILL_HALT"]))
if "DRILL_WRITER" in os.environ:
    end_writer(int(os.environ["DRILL_WRITER"]))
