"""The few figures that docs/performance.md begins with, taken out of the tables so that they cannot grow stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.results import Cell, shown

_BEGIN, _END = "<!-- figures: written by python -m benchmarks -->", "<!-- end of figures -->"

Row = dict[str, Any]


def write_headlines(page: Path, sections: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the figures between the two marks of ``page``.

    Raises:
        ValueError: The page has no such marks.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the figures: {_BEGIN} … {_END}")
    page.write_text(f"{before}{begin}\n\n{headlines(sections)}\n\n{end}{after}", encoding="utf-8")


def headlines(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of the figures that matter most, for those sections that there are."""
    lines = ["| measured | figure | load of the machine |", "|---|---|---|"]
    for name, figures in _FIGURES.items():
        if name in sections:
            load = " to ".join(f"{value:.1f}" for value in sections[name]["load"])
            rows = [_rows(table) for table in sections[name]["tables"]]
            lines += [f"| {what} | {figure} | {load} |" for what, figure in figures(*rows)]
    return "\n".join(lines)


def _rows(table: Mapping[str, Any]) -> list[Row]:
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _scheduling(rows: list[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        if row["latency"] == "heavy-tailed" and row["slots"] in (64, 128):
            yield (
                f"{shown(row['seeds'])} lineages of 4 epochs at {row['slots']} slots, heavy-tailed latency",
                f"{shown(row['wall / ideal'])} of the ideal time; the best schedule: "
                f"{shown(row['best schedule / ideal'])}",
            )


def _overhead(rows: list[Row]) -> Iterator[tuple[str, str]]:
    for client in dict.fromkeys(row["client"] for row in rows):
        own = [row for row in rows if row["client"] == client]
        bare = ", ".join(f"{row['bare loop']} {shown(row['bare loop ms'])}" for row in own)
        yield f"CPU per call over {client}", f"{shown(own[0]['evolver ms'])} ms; a bare loop: {bare}"


def _engine(rows: list[Row]) -> Iterator[tuple[str, str]]:
    largest = max(rows, key=lambda row: int(row["attempts"]))
    yield (
        f"the engine alone, {shown(largest['seeds'])} seeds, epochs: {largest['epochs']}",
        f"{shown(int(largest['attempts / s']))} attempts a second, {_megabytes(largest['peak MB'])} at most",
    )


def _datasets(rows: list[Row]) -> Iterator[tuple[str, str]]:
    for row in rows[:4]:
        yield f"{row['command']}, 258,000 rows", f"{shown(row['seconds'])} s, {_megabytes(row['peak MB'])}"


def _resume(rows: list[Row]) -> Iterator[tuple[str, str]]:
    seconds = sorted(float(row["seconds"]) for row in rows)
    yield (
        "first request of a run of 208,000 attempts that is 99% done",
        f"{shown(seconds[len(seconds) // 2])} s",
    )


def _peers(calm: list[Row], faults: list[Row]) -> Iterator[tuple[str, str]]:
    for row, faulty in zip(calm, faults, strict=True):
        yield (
            f"{row['tool']}, against the ideal time of its own calls",
            f"{shown(row['of the ideal'])}, {shown(row['CPU ms / call'])} ms CPU a call, "
            f"{_megabytes(row['peak MB'])}; with faults it lost {shown(faulty['lost'])} rows",
        )


def _megabytes(value: Cell) -> str:
    return f"{shown(value)} MB"


_FIGURES: Mapping[str, Callable[..., Iterator[tuple[str, str]]]] = {
    "scheduling": _scheduling,
    "overhead": _overhead,
    "engine": _engine,
    "datasets": _datasets,
    "resume": _resume,
    "peers": _peers,
}
