"""Progress of a run on stderr: bars in a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from evolver.cli.terminal import stderr_console
from evolver.cli.words import SHORT_RULES, counted
from evolver.events import BatchProgress, Event, Notice, RunStarted, Stopping
from evolver.report.progress import Rate, RunProgress
from evolver.text import Urgent

_LINE_EVERY = 10.0  # seconds between lines where stderr is no terminal


class Progress:
    """A listener that draws; as a renderable it is the picture of the moment."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.tally = RunProgress()
        self._rate = Rate()

    def __call__(self, event: Event) -> None:
        """Take in an event; what a person must read is printed at once."""
        self.tally.add(event)
        if isinstance(event, Notice):
            to = stderr_console() if self._console.quiet and isinstance(event.text, Urgent) else self._console
            to.print(event.text, style="yellow", markup=False, soft_wrap=True)
        elif isinstance(event, Stopping):
            one = event.in_flight == 1
            finished = f"{counted(event.in_flight, 'call')} in flight {'is' if one else 'are'} finished"
            what = f"{finished} and written" if event.in_flight else "writing"
            again = " Ctrl-C again ends at once." if event.wished else ""
            self._console.print(f"Stopping: {what}.{again}", style="yellow")
        elif isinstance(event, RunStarted):
            done = sum(event.done_by_epoch)
            again = f", going on after {counted(done, 'attempt')}" if event.resumed else ""
            self._console.print(
                f"Run {event.run}: {counted(event.seeds, 'seed')} x {counted(event.epochs, 'epoch')}{again}.",
                markup=False,
            )

    def __rich__(self) -> RenderableType:
        """Draw a bar per epoch and the figures below."""
        tally = self.tally
        if tally.run is None:
            seeds = tally.pool.seeds if tally.pool else 0
            return Text(f"Reading the pool: {counted(seeds, 'seed')}", overflow="ellipsis", no_wrap=True)
        if tally.merging is not None:
            return Text(f"Writing the dataset: {tally.merging.done:,} of {tally.merging.total:,} rows")
        bars = Table.grid(padding=(0, 1))
        for epoch in range(1, tally.run.epochs + 1):
            done = tally.done[epoch]
            total = max(tally.run.seeds, done)
            bars.add_row(
                f"epoch {epoch}",
                ProgressBar(total=total or 1, completed=done, width=34),
                Text(f"{done:,}/{total:,}", justify="right"),
            )
        self._rate.note(tally.calls)
        return Group(bars, *(Text(line, overflow="ellipsis", no_wrap=True) for line in self.lines()))

    def line(self) -> str:
        """Return the moment in one line, for a log."""
        tally = self.tally
        if tally.run is None:
            return f"reading the pool: {counted(tally.pool.seeds if tally.pool else 0, 'seed')}"
        self._rate.note(tally.calls)
        total = tally.run.seeds * tally.run.epochs
        return f"{sum(tally.done):,}/{total:,} attempts, " + ", ".join(self.lines())

    def lines(self) -> list[str]:
        """Return the figures below the bars, each at most 80 columns wide in the usual case."""
        tally = self.tally
        assert tally.run is not None
        ended = tally.outcomes
        figures = [counted(ended.survivors, "survivor")]
        if ended.failed:
            figures.append(f"{ended.failed.total():,} failed")
        deaths = [
            f"{count:,} {SHORT_RULES.get(rule, rule)}" for rule, count in ended.eliminated.most_common()
        ]
        pace = [] if tally.batches else [f"{self._rate.per_second():,.0f} calls/s"]
        if tally.cached:
            pace.append(f"{tally.cached:,} from the cache")
        if tally.retries:
            pace.append(f"{sum(tally.retries.values()):,} retried")
        if tally.priced or tally.spent_usd:
            pace.append(f"${tally.spent_usd:,.2f}")
        if self._rate.per_second() > 0 and not tally.batches:
            pace.append(f"ETA {_clock(tally.calls_left / self._rate.per_second())}")
        lines = ["  ".join((*figures, *pace)), "dead: " + ("  ".join(deaths) or "none yet")]
        return [*lines, _in_flight(tally.batches)] if tally.batches else lines


def _in_flight(batches: BatchProgress) -> str:
    if not batches.batches:
        return "no batch in flight"
    what = "1 batch" if batches.batches == 1 else f"{batches.batches:,} batches"
    failed = f", {batches.failed:,} failed" if batches.failed else ""
    done = f"{batches.done:,} of {batches.submitted:,} requests answered{failed}"
    return f"{what} in flight for {_clock(batches.age_s)}: {done}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def shown_while(console: Console, progress: Progress) -> Iterator[None]:
    """Show progress while the block runs: live in a terminal, as lines elsewhere, not at all when quiet."""
    if console.quiet:
        yield
    elif console.is_terminal:
        with Live(progress, console=console, refresh_per_second=8, transient=True):
            yield
    else:
        with _lines(console, progress):
            yield


@contextmanager
def _lines(console: Console, progress: Progress) -> Iterator[None]:
    over = threading.Event()

    def write() -> None:
        while not over.wait(_LINE_EVERY):
            console.print(progress.line(), markup=False, soft_wrap=True)

    thread = threading.Thread(target=write, name="evolver-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
