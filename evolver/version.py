"""The version of the installed distribution, which stands in pyproject.toml alone."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("evolver")
