"""The embedded model's words, sentences and sample programs, read from files beside it when they are needed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


class Table:
    """One file of ``data/``: texts, lists of texts, and lists of texts by name."""

    def __init__(self, name: str) -> None:
        place = files("evolver_offline").joinpath("data", *f"{name}.toml".split("/"))
        self._held: dict[str, Any] = tomllib.loads(place.read_text(encoding="utf-8"))

    def text(self, name: str) -> str:
        """Return a text."""
        return str(self._held[name])

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self._held[name])

    def named(self, name: str) -> dict[str, str]:
        """Return texts by name."""
        return dict(self._held[name])

    def lists(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return lists of texts by name."""
        return {key: tuple(values) for key, values in self._held[name].items()}

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        return list(self._held[name])


@cache
def table(name: str) -> Table:
    """Return the file ``data/NAME.toml``, read once per process."""
    return Table(name)
