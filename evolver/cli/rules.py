"""``evolve rules``: what elimination rules there are, and which of them are on."""

from __future__ import annotations

import json
from typing import Any

import click

_WIDTH = 20


@click.command("rules")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def command(*, as_json: bool) -> None:
    """List the elimination rules: what each reads, whether it is on by default, how precise it is.

    A run takes others with --rules and --skip-rules; 'evolve audit FILE' tries them on any data set.

    \b
    Examples:
        evolve rules
        evolve --pool seeds.json --rules all
        evolve --pool seeds.json --rules answer_given,longer_than_parent=8 --skip-rules only_repeats
    """
    for row in _rows():
        if as_json:
            click.echo(json.dumps(row, ensure_ascii=False))
            continue
        told = f", {row['precise']} of {row['dropped']} labelled drops right" if row["dropped"] else ""
        state = "on" if row["default"] else "off"
        click.echo(f"{row['name']:<{_WIDTH}} {state:<4}{row['drops']}")
        click.echo(f"{'':<{_WIDTH + 5}}reads: {row['reads']}{told}")


def _rows() -> list[dict[str, Any]]:
    from evolver.elimination.built_in import BUILT_IN

    return [
        {
            "name": name,
            "reads": rule.reads,
            "default": rule.default,
            "needs_parent": rule.compares,
            "precise": None if rule.precision is None else rule.precision[0],
            "dropped": None if rule.precision is None else rule.precision[1],
            "drops": rule.drops,
        }
        for name, rule in BUILT_IN.items()
    ]
