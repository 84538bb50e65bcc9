"""Small pieces of HTML, for notebooks: whatever a text holds, it is shown and means nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from evolver.text import harmless


def text(value: object) -> str:
    """Return a value as text: ``None`` is nothing, whole numbers have separators."""
    if value is None:
        return ""
    return escape(f"{value:,}" if type(value) is int else harmless(str(value)))


def paragraph(value: object) -> str:
    """Return a line of text."""
    return f"<p>{text(value)}</p>"


def table(
    head: Sequence[str], rows: Iterable[Iterable[object]], *, title: str = "", left: Iterable[str] = ()
) -> str:
    """Return a table.

    Args:
        head: Names of the columns.
        rows: Values, as :func:`text` shows them.
        title: Stands above.
        left: Columns that hold words; the others hold figures.
    """
    words = {*left}
    sides = [f'<td style="text-align:{"left" if name in words else "right"}">' for name in head]
    caption = f'<caption style="text-align:left"><b>{text(title)}</b></caption>' if title else ""
    heads = "".join(f"<th>{text(name)}</th>" for name in head)
    lines = (
        "<tr>"
        + "".join(f"{side}{text(value)}</td>" for side, value in zip(sides, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
