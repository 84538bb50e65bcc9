"""A table that is drawn on a terminal, and is one row a line, parted by tabs, everywhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evolver.text import harmless

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Column, Table

_FOLDED = 8  # columns of the terminal that are enough for a cell that may fold
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class RowId(int):
    """The id of a row of ``instructions``: drawn with the name that a person calls it by."""

    @staticmethod
    def is_one(number: int) -> bool:
        """Tell whether a number can be the id of a row; those of runs are smaller."""
        from evolver_store.schema import MAX_RUN, RUN_SHIFT  # brings SQLAlchemy, which few tables need

        return 1 <= number >> RUN_SHIFT <= MAX_RUN


@dataclass(slots=True)
class Sheet:
    """Columns, and rows of values with a style; ``sections`` are the numbers of rows after which a line is left."""

    columns: tuple[str, ...]
    figures: frozenset[str] = frozenset()
    unbroken: frozenset[str] = frozenset()
    title: str | None = None
    narrow: bool = False
    rows: list[tuple[list[Any], str]] = field(default_factory=list)
    sections: set[int] = field(default_factory=set)

    def add_section(self) -> None:
        """Leave a line between the rows so far and those to come."""
        self.sections.add(len(self.rows))

    def print(self, to: Console) -> None:
        """Print to a console: drawn on a terminal, or wherever a person reads (stderr), as lines of cells elsewhere."""
        if to.is_terminal or to.stderr:
            self._draw(to)
        else:
            to.file.write(self.tsv())

    def tsv(self) -> str:
        """Return a line of names and a line for each row, cells parted by tabs; a title is a line of its own.

        Numbers have no separators. As in PostgreSQL's text format a tab, line end or backslash inside a cell is
        ``\\t``, ``\\n``, ``\\r`` or ``\\\\``. Other control characters are shown, as on a terminal, where such lines
        often end up; JSON and CSV hold them as they are.
        """
        lines = [] if self.title is None else [self.title]
        lines.append("\t".join(" ".join(name.split()) for name in self.columns))
        lines += ("\t".join(_raw(value) for value in values) for values, _ in self.rows)
        return "\n".join(lines) + "\n"

    def __rich__(self) -> Table:
        """Return the table as rich draws it, its cells folding rather than losing text."""
        from rich.table import Table
        from rich.text import Text

        made = Table(
            title=None if self.title is None else Text(self.title, style="bold"),
            title_justify="left",
            box=None,
            padding=(0, 1 if self.narrow else 2, 0, 0),
            pad_edge=False,
            header_style="bold",
        )
        for name in self.columns:
            made.add_column(
                Text(harmless(name)),
                justify="right" if name in self.figures else "left",
                no_wrap=name in self.unbroken,
                overflow="fold",
            )
        for number, (values, style) in enumerate(self.rows):
            if number in self.sections:
                made.add_section()
            made.add_row(*(Text(_shown(value), style=style) for value in values))
        return made

    def _draw(self, to: Console) -> None:
        """Draw as wide as the terminal, or wider where figures would lose digits otherwise."""
        made = self.__rich__()
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


def _shown(value: Any) -> str:
    if isinstance(value, RowId):
        from evolver_store.names import name_of

        return f"{int(value)} {name_of(value)}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return harmless(_text(value))


def _raw(value: Any) -> str:
    return harmless(_text(value).translate(_ESCAPES))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
