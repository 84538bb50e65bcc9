"""Plots of what was measured, for docs/images; drawn only where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_COLOURS = {"best schedule": "#999999", "evolver": "#0b6e4f", "distilabel": "#c1440e", "curator": "#4062bb"}


def draw(sections: Mapping[str, Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draw what there are figures for; return the files written, none without matplotlib."""
    if find_spec("matplotlib") is None:
        return []
    import matplotlib as mpl  # a development tool, and slow to import

    mpl.use("svg")
    mpl.rcParams.update(
        {"svg.hashsalt": "evolver", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    drawn = []
    for name, section in sections.items():
        panels = _panels(section["curves"])
        if panels:
            drawn.append(_draw_in_flight(panels, folder / f"{name}.svg"))
    if "overhead" in sections:
        drawn.append(_draw_bars(sections["overhead"]["tables"][0]["rows"], folder / "overhead.svg"))
    return drawn


def _panels(curves: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Sort curves named ``panel: line`` by panel."""
    panels: dict[str, dict[str, Any]] = {}
    for name, curve in curves.items():
        panel, _, line = name.rpartition(": ")
        panels.setdefault(panel, {})[line] = curve
    return panels


def _draw_in_flight(panels: Mapping[str, Mapping[str, Any]], path: Path) -> Path:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(panels), 1, figsize=(7.5, 1.9 * len(panels)), squeeze=False)
    for axis, (title, lines) in zip(axes[:, 0], panels.items(), strict=True):
        for name, curve in lines.items():
            times, values = [at for at, _ in curve], [value for _, value in curve]
            axis.step(times, values, where="post", label=name, color=_COLOURS.get(name), linewidth=1)
        axis.set_title(title, loc="left", fontsize=9)
        axis.set_ylabel("calls in flight")
        axis.set_ylim(bottom=0)
        axis.set_xlim(left=0)
        axis.legend(frameon=False, loc="upper right")
    axes[-1, 0].set_xlabel("seconds since the first call")
    return _saved(figure, path)


def _draw_bars(rows: list[list[Any]], path: Path) -> Path:
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7.5, 0.6 * len(rows) + 0.9))
    places = range(len(rows))
    axis.barh(places, [row[2] for row in rows], color=_COLOURS["best schedule"], label="bare loop")
    axis.barh(
        places,
        [max(0.0, row[4]) for row in rows],
        left=[row[2] for row in rows],
        color=_COLOURS["evolver"],
        label="on top: evolver",
    )
    axis.set_yticks(places, [f"{row[0]}, {row[1]}" for row in rows])
    axis.invert_yaxis()
    axis.set_xlabel("CPU per call, ms")
    axis.legend(frameon=False)
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> Path:
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path
