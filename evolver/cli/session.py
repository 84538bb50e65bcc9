"""A run in a terminal: what it says before, while and after, and what Ctrl-C does."""

from __future__ import annotations

import asyncio
import dataclasses
import shlex
import sys
from typing import Any

from rich.console import Console

from evolver.cli.consent import ask_before_paying
from evolver.cli.final import print_final
from evolver.cli.output import print_json
from evolver.cli.progress import Progress, shown_while
from evolver.cli.terminal import stderr_console
from evolver.errors import AllFailedError, BudgetError, StoppedError
from evolver.evolution import Evolution
from evolver.interrupts import interruptible
from evolver.merge.findings import figures as dataset_figures
from evolver.models.factory import notices
from evolver.quoting import redact
from evolver.result import Result
from evolver.settings import Settings
from evolver.text import without_passwords
from evolver_store.connect import shown, store_url


def run_session(settings: Settings, *, as_json: bool) -> None:
    """Run to the end and print the figures: a table on stderr, or one JSON object on stdout.

    Raises:
        EvolverError: The run could not start, or stopped with work left.
    """
    console = stderr_console(quiet=settings.quiet)
    for notice in notices([settings.asking(purpose).model for purpose in ("evolve", "judge", "answer")]):
        console.print(notice, style="yellow")
    progress = Progress(console)
    evolution = Evolution.of(settings, on_event=progress)
    try:
        ask_before_paying(evolution, console)
        with shown_while(console, progress):
            result = asyncio.run(interruptible(evolution.arun(), evolution.stop))
    except (AllFailedError, BudgetError) as error:
        if error.result is not None:
            _print(error.result, console, as_json=as_json)
        raise
    except StoppedError as error:
        raise StoppedError(
            f"interrupted; what is finished is stored. Go on with:\n  {_same_command()}"
        ) from error
    finally:
        asyncio.run(evolution.aclose())
    _print(result, console, as_json=as_json)


def _print(result: Result, console: Console, *, as_json: bool) -> None:
    if as_json:
        print_json([_figures(result)])
    else:
        print_final(console, result)


def _same_command() -> str:
    """Return the command as it was given, without the passwords in it: a terminal's history is read by others."""
    return shlex.join(["evolve", *(redact(without_passwords(argument)) for argument in sys.argv[1:])])


def _figures(result: Result) -> dict[str, Any]:
    store = shown(store_url(result.store))  # without a password
    figures: dict[str, Any] = {"run": result.run, "store": store, **dataclasses.asdict(result.stats)}
    figures["session"] = dataclasses.asdict(result.session)
    if result.dataset is not None:
        figures["dataset"] = dataset_figures(result.dataset)
    if result.pool is not None:
        figures["pool"] = result.pool.as_json()
    return figures
