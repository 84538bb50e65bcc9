"""``evolve runs``: what runs a store holds; rename or delete one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from evolver.cli.options import json_option, store_option
from evolver.cli.paging import pager_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine

    from evolver.facts.runs import RunOverview
    from evolver_store.runs import Run


@click.group("runs", invoke_without_command=True)
@store_option
@json_option
@pager_option
@click.pass_context
def command(ctx: click.Context, store: str, *, as_json: bool) -> None:
    """List the runs in a store, oldest first: how far each is, what it cost, and what tells it from the others.

    Cost is what a run paid itself; calls that an earlier run had paid for are free. A run that is said to be running
    while nobody works on it is shown as interrupted: the same command goes on with it.

    \b
    Examples:
        evolve runs
        evolve runs --store postgresql://me@db/evolve --json | jq .name
        evolve runs rename alpaca-1f6c0e21 baseline
        evolve runs delete alpaca-1f6c0e21
    """
    ctx.obj = store
    if ctx.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from evolver.cli.output import print_json, tell
    from evolver.facts.runs import run_overviews
    from evolver_store.claim import is_claimed
    from evolver_store.connect import reading, store_url

    url = store_url(store)
    with reading(store) as engine, engine.connect() as conn:
        overviews = run_overviews(conn, lambda name: is_claimed(url, name))
    if as_json:
        print_json(asdict(overview) for overview in overviews)
    elif overviews:
        _print_table(overviews)
    else:
        tell("The store holds no run yet. Make one with 'evolve --pool …'.")


def _print_table(overviews: list[RunOverview]) -> None:
    """Print what fits 80 columns with the names whole, as --run wants them; --json has every figure."""
    from evolver.cli.output import add_row, print_table, table
    from evolver.facts.settings import in_words, telling

    apart = [
        name
        for name in telling([one.settings for one in overviews])
        if name not in ("epochs", "model", "pool_sha256")
    ]
    figures = ("epochs", "seeds", "survivors", "cost")
    columns = ("run", "status", "model", *figures, *(("told apart by",) if apart else ()))
    made = table(columns, right=figures, whole=("run", "status"))
    for one in overviews:
        cost = None if one.cost_usd is None else f"${one.cost_usd:,.2f}"
        words = "; ".join(in_words(name, one.settings.get(name)) for name in apart)
        values = (one.name, one.status, one.model, one.epochs, one.seeds, one.survivors, cost)
        add_row(made, (*values, words) if apart else values)
    print_table(made)


@command.command("rename")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@store_option
@click.pass_context
def rename(ctx: click.Context, old: str, new: str, store: str) -> None:
    """Give a run another name, by which --run then finds it; refused while the run works.

    \b
    Example:
        evolve runs rename alpaca-1f6c0e21 baseline
    """
    from evolver.cli.output import tell
    from evolver_store.manage import rename_run

    with _held(_store(ctx, store), old) as (engine, run):
        rename_run(engine, run, new)
    tell(f"The run {old} is called {new} now; its command goes on with it when given --run {new}.")


@command.command("delete")
@click.argument("name", metavar="NAME")
@click.option("--calls", "calls_too", is_flag=True, help="The calls that it paid for as well.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
@click.pass_context
def delete(ctx: click.Context, name: str, store: str, *, calls_too: bool, yes: bool) -> None:
    """Delete a run with all its rows; refused while the run works or has batches in flight.

    The calls that it paid for stay in the store, where other runs are served them for nothing, unless --calls.

    \b
    Example:
        evolve runs delete alpaca-1f6c0e21
    """
    from evolver.cli.output import tell
    from evolver_store.manage import delete_run

    with _held(_store(ctx, store), name) as (engine, run):
        if not yes:
            _ask(engine, run, calls_too=calls_too)
        delete_run(engine, run, calls_too=calls_too)
    tell(f"The run {name} is deleted.")


def _ask(engine: Engine, run: Run, *, calls_too: bool) -> None:
    """Say what would go, and ask.

    Raises:
        SettingsError: Nobody can be asked.
        Abort: The answer is no.
    """
    import sys

    from evolver.cli.output import harmless
    from evolver.errors import SettingsError
    from evolver.facts.attempts import outcomes
    from evolver.facts.spending import paid_by

    with engine.connect().execution_options(only_reads=True) as conn:
        attempts, paid = outcomes(conn, run.id).total().attempts, paid_by(conn, run.id)
    cost = f" (${paid.cost_usd:,.2f})" if paid.cost_usd else ""
    calls = f"{paid.calls:,} paid calls{cost} {'go, too' if calls_too else 'stay in the cache'}"
    what = f"the run {run.name}: {run.seeds or 0:,} seeds and {attempts:,} attempts; {calls}"
    if not sys.stdin.isatty():
        raise SettingsError(
            f"this would delete {what}, and there is no terminal to ask on; nothing was deleted. Say --yes."
        )
    click.confirm(harmless(f"Delete {what}. Sure?"), abort=True, err=True)


def _store(ctx: click.Context, store: str) -> str:
    """Return the store that was named before the subcommand, or after it."""
    return str(ctx.obj) if ctx.get_parameter_source("store") is ParameterSource.DEFAULT else store


def _held(store: str, name: str) -> AbstractContextManager[tuple[Engine, Run]]:
    """Open a store that is there to write, and hold one of its runs while the block works.

    Raises:
        RunBusyError: A process works on the run.
        RunMissingError: There is none of that name.
    """
    from contextlib import contextmanager

    from evolver_store.claim import claimed
    from evolver_store.connect import open_for_writing, reading, shown, store_url
    from evolver_store.runs import get_run

    @contextmanager
    def held() -> Iterator[tuple[Engine, Run]]:
        url = store_url(store)
        with reading(url) as engine, engine.connect() as conn:
            get_run(conn, name, shown(url))  # before anything is made or migrated
        with claimed(url, name):
            writing = open_for_writing(url)
            try:
                with writing.connect().execution_options(only_reads=True) as conn:
                    run = get_run(conn, name, shown(url))
                yield writing, run
            finally:
                writing.dispose()

    return held()
