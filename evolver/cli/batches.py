"""``evolve batches``: what was submitted to the providers' batch APIs, and how to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from evolver.cli.options import json_option, store_option

if TYPE_CHECKING:
    from evolver_store.batches import Batch


@click.group("batches", invoke_without_command=True)
@store_option
@json_option
@click.pass_context
def command(ctx: click.Context, store: str, *, as_json: bool) -> None:
    """List the batches in a store, oldest first: which are in flight, and how each ended.

    The figures are those that the run saw last; only a run looks at the provider, and collects.

    \b
    Examples:
        evolve batches
        evolve batches --json | jq 'select(.status == "submitted") | .provider_id'
        evolve batches cancel 3f2a
    """
    ctx.obj = store
    if ctx.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from evolver.cli.output import print_json, tell
    from evolver_store.batches import list_batches
    from evolver_store.connect import reading
    from evolver_store.runs import list_runs

    with reading(store) as engine, engine.connect() as conn:
        batches = list_batches(conn)
        names = {run.id: run.name for run in list_runs(conn)}
    if as_json:
        print_json({"run": names.get(batch.run_id), **asdict(batch)} for batch in batches)
    elif batches:
        _print_table(batches, names)
    else:
        tell("The store holds no batch yet. Make one with 'evolve --pool … --batch'.")


def _print_table(batches: list[Batch], names: dict[int, str]) -> None:
    from evolver.cli.output import add_row, print_table, table

    figures = ("requests", "done", "failed")
    made = table(
        ("batch", "status", "run", "model", *figures, "created"),
        right=figures,
        whole=("batch", "status", "created"),
    )
    for batch in batches:
        add_row(
            made,
            (
                batch.key,
                batch.status,
                names.get(batch.run_id),
                batch.model,
                batch.requests,
                batch.succeeded,
                batch.failed,
                f"{batch.created_at:%m-%d %H:%M}",
            ),
        )
    print_table(made)


@command.command("cancel")
@click.argument("key")
@store_option
@click.option("--base-url", metavar="URL", help="Address of the provider, where its key is in it.")
@click.pass_context
def cancel(ctx: click.Context, key: str, store: str, base_url: str | None) -> None:
    """Cancel a batch at its provider, by its name here or there, or the beginning of either.

    What it has answered by then is paid; the run that made it collects that when it is run again, and submits the
    rest anew. A batch that the provider does not know any more is given up.

    \b
    Example:
        evolve batches cancel 3f2a
    """
    from evolver.calls.batch.cancel import cancel_batch

    if ctx.get_parameter_source("store") is ParameterSource.DEFAULT:
        store = ctx.obj  # named before the subcommand, or nowhere
    from evolver.cli.output import tell

    tell(cancel_batch(store, key, base_url=base_url, on_notice=tell))
