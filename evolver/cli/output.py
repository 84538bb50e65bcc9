"""Data on stdout: JSON lines, tables and texts. Files and pipes get it whole, a terminal nothing that it would obey."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from evolver.cli.sheet import Sheet
from evolver.text import harmless, one_line

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "add_row",
    "console",
    "harmless",
    "one_line",
    "paged",
    "plain",
    "print_json",
    "print_table",
    "print_text",
    "table",
    "tell",
]

_JSONS_OWN = frozenset({str, int, bool, type(None), dict, list})
_NOT_ESCAPED = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def plain(value: Any) -> Any:
    """Return a value of a database as JSON has it: times as ISO 8601 in UTC, bytes as hex, decimals as numbers."""
    if isinstance(value, Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value


def print_json(records: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object per line, each as soon as it is there.

    On a terminal the characters that it would obey, and JSON need not escape, are escaped: the data stays the same.
    """
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    write, on_terminal = sys.stdout.write, sys.stdout.isatty()
    for record in records:
        known = {name: value if type(value) in _JSONS_OWN else plain(value) for name, value in record.items()}
        line = encode(known)
        write((_NOT_ESCAPED.sub(_escaped, line) if on_terminal else line) + "\n")
    sys.stdout.flush()


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def print_text(text: str) -> None:
    """Print a text and a line end to stdout: as it is to a file or pipe, harmless to a terminal."""
    sys.stdout.write((harmless(text) if sys.stdout.isatty() else text) + "\n")


def tell(text: str) -> None:
    """Tell a person something on stderr, whatever the names and texts in it hold."""
    click.echo(harmless(text), err=True)


def console() -> Console:
    """Return a console on stdout, as wide as the terminal (80 columns, or COLUMNS, where there is none)."""
    from evolver.cli.terminal import stdout_console  # only commands that draw something pay for rich

    return stdout_console()


def paged(to: Console) -> AbstractContextManager[Console]:
    """Show what the block prints in a pager, where it is longer than the terminal is high."""
    from evolver.cli.terminal import paged as made

    return made(to)


def table(
    columns: Sequence[str],
    *,
    right: Iterable[str] = (),
    whole: Iterable[str] = (),
    title: str | None = None,
    narrow: bool = False,
) -> Sheet:
    """Return an empty table.

    Args:
        columns: Names of the columns.
        right: Those that hold figures: on the right, never folded.
        whole: Others that are never folded.
        title: Stands above.
        narrow: One blank between columns instead of two.
    """
    figures = frozenset(right)
    return Sheet(tuple(columns), figures, figures | frozenset(whole), title, narrow)


def print_table(made: Sheet, to: Console | None = None) -> None:
    """Print a table: drawn on a terminal, in a pager if it is long; one row a line, whole, elsewhere."""
    if to is not None:
        made.print(to)
        return
    with paged(console()) as out:
        made.print(out)


def add_row(to: Sheet, values: Iterable[Any], style: str = "") -> None:
    """Add a row; ``None`` is left blank, whole numbers get thousands separators where they are drawn."""
    to.rows.append(([plain(value) for value in values], style))
