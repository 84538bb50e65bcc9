"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEFAULT_STORE = "evolve.db"


def store_option(command: _Command) -> _Command:
    """Add ``--store``; the command gets what the user named, by flag, EVOLVE_STORE or evolve.toml."""
    return click.option(
        "--store",
        metavar="URL",
        envvar="EVOLVE_STORE",
        default=default_store,
        help="Where the lineage is: a file or postgresql://….  [default: evolve.db]",
    )(command)


def run_option(command: _Command) -> _Command:
    """Add ``--run``; ``None`` means the newest."""
    return click.option(
        "--run", "run_name", metavar="NAME", help="Name of the run.  [default: the newest in the store]"
    )(command)


def json_option(command: _Command) -> _Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(command)


def default_store() -> str:
    """Read the store's name from evolve.toml in the working directory, as a run does."""
    import tomllib  # few commands come without --store and beside an evolve.toml
    from pathlib import Path

    from evolver.errors import SettingsError

    file = Path("evolve.toml")
    if not file.is_file():
        return DEFAULT_STORE
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"evolve.toml cannot be read ({error}); nothing was done. Mend it, or name the store with --store."
        ) from error
    return str(given.get("store", DEFAULT_STORE))
