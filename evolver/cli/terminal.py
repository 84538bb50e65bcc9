"""Consoles that obey nothing but this program: whatever a text holds, no control character of it reaches a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from evolver.cli.paging import pager_wanted
from evolver.text import harmless


class SafeConsole(Console):
    """A console that shows control characters in texts; the colours and movements that it makes itself pass."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as always, and clean every text on its way."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)


def stdout_console() -> SafeConsole:
    """Return a console on stdout, as wide as the terminal (80 columns, or COLUMNS, where there is none)."""
    return SafeConsole(highlight=False, markup=False, emoji=False)


def stderr_console(*, quiet: bool = False) -> SafeConsole:
    """Return a console on stderr; with ``quiet`` it prints nothing."""
    # Without emoji=False openai:m:… would lose its name to the sign that rich draws for :m:.
    return SafeConsole(stderr=True, quiet=quiet, highlight=False, markup=False, emoji=False)


@contextmanager
def paged(to: Console) -> Iterator[Console]:
    """Show what the block prints in a pager ($PAGER), where it is longer than the terminal is high."""
    if not (pager_wanted() and to.is_terminal and sys.stdout.isatty() and sys.stdin.isatty()):
        yield to
        return
    with to.capture() as caught:
        yield to
    drawn = caught.get()
    if drawn.count("\n") < to.height:
        sys.stdout.write(drawn)
        sys.stdout.flush()
    else:
        click.echo_via_pager(drawn, color=not to.no_color)
