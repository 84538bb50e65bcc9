"""Data on stdout: JSON lines, tables and texts that do a terminal no harm."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from evolver.text import harmless, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

__all__ = [
    "add_row",
    "console",
    "harmless",
    "one_line",
    "plain",
    "print_json",
    "print_table",
    "table",
]

_JSONS_OWN = frozenset({str, int, bool, type(None), dict, list})
_FOLDED = 8  # columns of the terminal that are enough for a cell that may fold


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
    """Print one JSON object per line, each as soon as it is there."""
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    write = sys.stdout.write
    for record in records:
        known = {name: value if type(value) in _JSONS_OWN else plain(value) for name, value in record.items()}
        write(encode(known) + "\n")
    sys.stdout.flush()


def console() -> Console:
    """Return a console on stdout, as wide as the terminal (80 columns, or COLUMNS, where there is none)."""
    from rich.console import Console  # only commands that draw something pay for it

    return Console(highlight=False, markup=False, emoji=False)


def table(
    columns: Sequence[str],
    *,
    right: Iterable[str] = (),
    whole: Iterable[str] = (),
    title: str | None = None,
    narrow: bool = False,
) -> Table:
    """Return an empty table whose cells fold rather than lose text.

    Args:
        columns: Names of the columns.
        right: Those that hold figures: on the right, never folded.
        whole: Others that are never folded.
        title: Stands above.
        narrow: One blank between columns instead of two.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(
        title=None if title is None else Text(title, style="bold"),
        title_justify="left",
        box=None,
        padding=(0, 1 if narrow else 2, 0, 0),
        pad_edge=False,
        header_style="bold",
    )
    figures = set(right)
    unbroken = figures | set(whole)
    for name in columns:
        made.add_column(
            Text(harmless(name)),
            justify="right" if name in figures else "left",
            no_wrap=name in unbroken,
            overflow="fold",
        )
    return made


def print_table(made: Table, to: Console | None = None) -> None:
    """Print a table as wide as the terminal, or wider where figures would lose digits otherwise."""
    to = to or console()
    needed = sum(_least_width(column) + 2 for column in made.columns)
    width = to.width
    to.width = max(width, needed)
    to.print(made)
    to.width = width


def _least_width(column: Column) -> int:
    """Return the cells a column cannot do without: those of its longest line, or some where lines may fold."""
    from rich.cells import cell_len

    texts = (str(text) for text in (column.header, *column.cells))
    longest = max((cell_len(line) for text in texts for line in text.split("\n")), default=0)
    return longest if column.no_wrap else min(longest, _FOLDED)


def add_row(to: Table, values: Iterable[Any], style: str = "") -> None:
    """Add a row; ``None`` is left blank, whole numbers get thousands separators, texts are made harmless."""
    from rich.text import Text

    to.add_row(*(Text(_cell(value), style=style) for value in values))


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return harmless(str(value))
