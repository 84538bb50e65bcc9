"""What a run does in a notebook: progress in its cell, and a question before money is spent.

IPython shows both, so nothing has to be installed beside what notebooks run on.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import Any

from evolver.events import Event, Merging, Notice, PoolRead, RunStarted, Stopping
from evolver.report.progress import Rate, RunProgress

_EVERY = 0.25  # seconds between two pictures, so that a browser keeps up


def in_notebook() -> bool:
    """Tell whether the code runs in a notebook's kernel; IPython in a terminal is none."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


class CellProgress:
    """A listener that draws in the cell that runs, a few times a second; end with :meth:`close`."""

    def __init__(self) -> None:
        self.tally = RunProgress()
        self._rate = Rate()
        self._notices: list[str] = []
        self._handle: Any = None
        self._drawn = 0.0

    def __call__(self, event: Event) -> None:
        """Take in an event; cheap unless it is time to draw."""
        self.tally.add(event)
        if isinstance(event, Notice):
            self._notices.append(event.text)
        now = time.monotonic()
        if now - self._drawn >= _EVERY or isinstance(event, Notice | RunStarted | Stopping):
            self._drawn = now
            self._draw()

    def close(self) -> None:
        """Draw how it ended; a run that told nothing has drawn nothing."""
        if self._handle is not None:
            self._draw()

    def _draw(self) -> None:
        shown = import_module("IPython.display")  # whoever runs a notebook has it
        picture = shown.HTML(self.picture())
        if self._handle is None:
            self._handle = shown.display(picture, display_id=True)
        else:
            self._handle.update(picture)

    def picture(self) -> str:
        """Return the moment as HTML: a bar for each epoch, the figures, and every notice so far."""
        from evolver import html  # most runs are in no notebook

        tally, told = self.tally, "".join(map(html.paragraph, self._notices))
        if tally.run is None:
            return html.paragraph(_reading(tally.pool)) + told
        self._rate.note(tally.calls)
        bars = [
            f"<div>epoch {epoch} <progress max={max(tally.run.seeds, done, 1)} value={done}></progress> "
            f"{done:,}/{tally.run.seeds:,}</div>"
            for epoch, done in enumerate(tally.done[1:], 1)
        ]
        lines = [
            f"Run {tally.run.run}: {tally.run.seeds:,} seeds x {tally.run.epochs} epochs",
            *_figures(tally),
        ]
        if (pace := self._rate.per_second()) > 0 and tally.calls_left > 0:
            lines.append(f"{pace:,.0f} calls a second, some {tally.calls_left / pace / 60:,.0f} minutes left")
        if tally.stopping is not None:
            lines.append(f"Stopping: {tally.stopping.in_flight:,} calls in flight are finished and written.")
        return html.paragraph(lines[0]) + "".join(bars) + html.paragraph("; ".join(lines[1:])) + told


def _reading(pool: PoolRead | None) -> str:
    return f"Reading the pool: {0 if pool is None else pool.seeds:,} seeds"


def _figures(tally: RunProgress) -> list[str]:
    ended = tally.outcomes
    figures = [f"{ended.survivors:,} survivors", f"{ended.eliminated.total():,} eliminated"]
    if ended.failed:
        figures.append(f"{ended.failed.total():,} failed")
    if tally.cached:
        figures.append(f"{tally.cached:,} calls from the cache")
    if tally.priced or tally.spent_usd:
        figures.append(f"${tally.spent_usd:,.2f}")
    if isinstance(tally.merging, Merging):
        figures.append(f"{tally.merging.done:,} of {tally.merging.total:,} rows written")
    return figures
