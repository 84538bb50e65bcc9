"""``evolve diff``: what an attempt changed, word by word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evolver.cli.naming import RowName, shown_row
from evolver.cli.options import json_option, run_option, store_option

if TYPE_CHECKING:
    from evolver.report.worddiff import Change
    from evolver_store.lineage import Row


@click.command("diff")
@click.argument("row", metavar="ROW", type=RowName())
@run_option
@store_option
@json_option
def command(row: str, run_name: str | None, store: str, *, as_json: bool) -> None:
    """Show what an attempt changed in its parent's instruction, word by word.

    ROW is 17/2 (what became of the 17th seed in epoch 2) or an id. In colour on a terminal, else (and with NO_COLOR)
    as [-removed-]{+added+}. With --json the object's "ops" hold "op" (equal, delete, insert, replace), "old" and "new";
    joined they are both texts.

    \b
    Examples:
        evolve diff 17/2
        evolve diff 17/2 --json | jq '.ops[] | select(.op != "equal")'
    """
    from evolver.errors import StoreError
    from evolver.report.worddiff import word_changes
    from evolver_store.connect import checked, reading
    from evolver_store.lineage import instruction_row
    from evolver_store.names import id_of

    with reading(store) as engine, engine.connect() as conn:
        child = instruction_row(conn, id_of(conn, row, run_name, store))
        called = shown_row(child["id"])
        if child["parent_id"] is None:
            raise StoreError(
                f"{called} is a seed and was evolved from nothing, so nothing is shown. "
                f"'evolve lineage {child['id']}' lists what was evolved from it."
            )
        parent = instruction_row(conn, child["parent_id"])
    if child["instruction"] is None:
        raise StoreError(
            f"attempt {called} failed before there was a text ({child['rule']}: {child['reason']}), "
            f"so nothing is shown. Its parent is {shown_row(parent['id'])}."
        )
    with checked(store):
        changes = list(word_changes(parent["instruction"] or "", child["instruction"]))
    if as_json:
        _print_json(child, changes)
    else:
        _print(child, changes)


def _print_json(child: Row, changes: list[Change]) -> None:
    from dataclasses import asdict

    from evolver.cli.output import print_json
    from evolver_store.names import name_of

    names = ("parent_id", "epoch", "attempt", "mutator", "status", "rule", "reason")
    about = {"id": child["id"], "name": name_of(child["id"]), **{name: child[name] for name in names}}
    print_json([about | {"ops": [asdict(change) for change in changes]}])


def _print(child: Row, changes: list[Change]) -> None:
    from rich.text import Text

    from evolver.cli.output import console, harmless, one_line, print_text, tell

    out = console()
    dead = f" {child['rule']}: {child['reason']}" if child["rule"] else ""
    about = f"{shown_row(child['parent_id'])} -> {shown_row(child['id'])}"
    tell(one_line(f"{about}, {child['mutator']}, {child['status']}{dead}"))
    if all(change.op == "equal" for change in changes):
        spaces = "but for white space " if any(change.old != change.new for change in changes) else ""
        tell(f"The texts are equal {spaces}word by word.")
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
        print_text(harmless("".join(_marked(change) for change in changes)))


def _marked(change: Change) -> str:
    """Mark one change as ``wdiff`` does, the white space before it outside the marks."""
    if change.op == "equal":
        return change.new
    marked = ""
    for text, opening, closing in ((change.old, "[-", "-]"), (change.new, "{+", "+}")):
        inside = text.lstrip()
        if text:
            marked += f"{text[: len(text) - len(inside)]}{opening}{inside}{closing}"
    return marked
