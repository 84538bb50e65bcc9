"""What a measure found, and how it is written down: results.json for programs, results.md for readers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a caption; numbers are shown with three significant digits."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Section:
    """One measure: what was found, in words, tables, and curves for the plots.

    ``curves`` are lists of (seconds, calls in flight) by name. ``load`` is the machine's load average when it began and
    when it ended: above the number of cores, the figures shared the machine with something else.
    """

    name: str
    title: str
    text: str
    tables: Sequence[Table]
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)


def save(folder: Path, section: Section, about: Mapping[str, Any]) -> None:
    """Put a section into results.json, in place of an older one of its name, and write results.md again."""
    path = folder / "results.json"
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known[section.name] = {**asdict(section), **about}
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(markdown(known), encoding="utf-8")


def markdown(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return all sections as a page."""
    parts = [
        "# What was measured",
        "Written by `python -m benchmarks`; docs/performance.md says how to read it. Below each title: the machine, "
        "and its load average before and after. Figures are medians where a number of repeats is given.",
    ]
    for section in sections.values():
        parts += [f"## {section['title']}", _about(section), section["text"]]
        for table in section["tables"]:
            parts += [f"**{table['caption']}**", _table(table["columns"], table["rows"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(section: Mapping[str, Any]) -> str:
    machine = section["machine"]
    load = " to ".join(f"{value:.1f}" for value in section["load"])
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"*{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']}, "
        f"{machine['python']}, SQLite {machine['sqlite']}; {packages}. {section['date']}, load {load}, "
        f"{section['seconds']:.0f} s{', --full' if section['full'] else ''}.*"
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    lines = [columns, ["---" if index == 0 else "---:" for index in range(len(columns))]]
    lines += [[shown(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(cell: Cell) -> str:
    """Return a cell as text: whole numbers with separators, others with three significant digits."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 1000:
        return f"{cell:,.0f}"
    decimals = 0 if abs(cell) >= 100 else 1 if abs(cell) >= 10 else 2 if abs(cell) >= 0.1 or not cell else 4
    return f"{cell:.{decimals}f}"
