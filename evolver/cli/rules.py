"""``evolve rules``: what elimination rules there are, and which of them are on."""

from __future__ import annotations

from typing import Any

import click


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
    from evolver.cli.output import add_row, print_json, print_table, table

    if as_json:
        print_json(_rows())
        return
    made = table(("rule", "default", "reads", "right", "drops"), whole=("rule", "default", "right"))
    for row in _rows():
        told = f"{row['precise']} of {row['dropped']}" if row["dropped"] else None
        add_row(made, (row["name"], "on" if row["default"] else "off", row["reads"], told, row["drops"]))
    print_table(made)


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
