"""``evolve runs``: what runs a store holds."""

from __future__ import annotations

import click

from evolver.cli.options import json_option, store_option


@click.command("runs")
@store_option
@json_option
def command(store: str, *, as_json: bool) -> None:
    """List the runs in a store, oldest first: how far each is and what it cost.

    Cost is what a run paid itself; calls that an earlier run had paid for are free.

    \b
    Examples:
        evolve runs
        evolve runs --store postgresql://me@db/evolve --json | jq .name
    """
    from dataclasses import asdict

    from evolver.cli.output import print_json
    from evolver.facts.runs import run_overviews
    from evolver_store.connect import reading

    with reading(store) as engine, engine.connect() as conn:
        overviews = run_overviews(conn)
    if as_json:
        print_json(asdict(overview) for overview in overviews)
    elif overviews:
        _print_table([asdict(overview) for overview in overviews])
    else:
        click.echo("The store holds no run yet. Make one with 'evolve --pool …'.", err=True)


def _print_table(overviews: list[dict[str, object]]) -> None:
    """Print what fits 80 columns with the names whole, as --run wants them; --json has every figure."""
    from evolver.cli.output import add_row, print_table, table

    figures = ("epochs", "seeds", "survivors", "cost")
    made = table(("run", "status", "model", *figures), right=figures, whole=("run", "status"))
    for one in overviews:
        cost = one["cost_usd"]
        add_row(
            made,
            (
                one["name"],
                one["status"],
                one["model"],
                *(one[name] for name in figures[:-1]),
                None if cost is None else f"${cost:,.2f}",
            ),
        )
    print_table(made)
