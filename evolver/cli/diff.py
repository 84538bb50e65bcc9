"""``evolve diff``: what an attempt changed, word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evolver.cli.options import json_option, store_option

if TYPE_CHECKING:
    from evolver.report.worddiff import Change
    from evolver_store.lineage import Row


@click.command("diff")
@click.argument("instruction_id", metavar="ID", type=int)
@store_option
@json_option
def command(instruction_id: int, store: str, *, as_json: bool) -> None:
    """Show what an attempt changed in its parent's instruction, word by word.

    In colour on a terminal, else (and with NO_COLOR) as [-removed-]{+added+}. With --json the object's "ops" hold
    "op" (equal, delete, insert, replace), "old" and "new"; joined they are both texts.

    \b
    Examples:
        evolve diff 1099511627841
        evolve diff 1099511627841 --json | jq '.ops[] | select(.op != "equal")'
    """
    from evolver.errors import StoreError
    from evolver.report.worddiff import word_changes
    from evolver_store.connect import reading
    from evolver_store.lineage import instruction_row

    with reading(store) as engine, engine.connect() as conn:
        child = instruction_row(conn, instruction_id)
        if child["parent_id"] is None:
            raise StoreError(
                f"{instruction_id} is a seed and was evolved from nothing, so nothing is shown. "
                f"'evolve lineage {instruction_id}' lists what was evolved from it."
            )
        parent = instruction_row(conn, child["parent_id"])
    if child["instruction"] is None:
        raise StoreError(
            f"attempt {instruction_id} failed before there was a text ({child['rule']}: {child['reason']}), "
            f"so nothing is shown. Its parent is {parent['id']}."
        )
    changes = list(word_changes(parent["instruction"] or "", child["instruction"]))
    if as_json:
        _print_json(child, changes)
    else:
        _print(child, changes)


def _print_json(child: Row, changes: list[Change]) -> None:
    from dataclasses import asdict

    from evolver.cli.output import print_json

    names = ("id", "parent_id", "epoch", "attempt", "mutator", "status", "rule", "reason")
    print_json([{name: child[name] for name in names} | {"ops": [asdict(change) for change in changes]}])


def _print(child: Row, changes: list[Change]) -> None:
    from rich.text import Text

    from evolver.cli.output import console, harmless, one_line

    out = console()
    dead = f" {child['rule']}: {child['reason']}" if child["rule"] else ""
    about = f"{child['parent_id']} -> {child['id']}, {child['mutator']}, {child['status']}{dead}"
    click.echo(one_line(about), err=True)
    if all(change.op == "equal" for change in changes):
        spaces = "but for white space " if any(change.old != change.new for change in changes) else ""
        click.echo(f"The texts are equal {spaces}word by word.", err=True)
    if out.is_terminal and not out.no_color:
        shown = Text()
        for change in changes:
            if change.op == "equal":
                shown.append(harmless(change.new))
            else:
                shown.append(harmless(change.old), style="red strike")
                shown.append(harmless(change.new), style="bold green")
        out.print(shown, soft_wrap=True)
    else:
        click.echo("".join(_marked(change) for change in changes))


def _marked(change: Change) -> str:
    """Mark one change as ``wdiff`` does, the white space before it outside the marks."""
    from evolver.cli.output import harmless

    if change.op == "equal":
        return harmless(change.new)
    marked = ""
    for text, opening, closing in ((change.old, "[-", "-]"), (change.new, "{+", "+}")):
        inside = text.lstrip()
        if text:
            marked += harmless(f"{text[: len(text) - len(inside)]}{opening}{inside}{closing}")
    return marked
