"""``evolve lineage``: the family an instruction belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evolver.cli.options import json_option, store_option

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from evolver_store.lineage import Row

_SIGNS = {"survivor": "✓", "eliminated": "✗", "failed": "!"}


@click.command("lineage")
@click.argument("instruction_id", metavar="ID", type=int)
@click.option(
    "--ancestors", "only", flag_value="ancestors", help="Only the row and what it was evolved from."
)
@click.option(
    "--descendants", "only", flag_value="descendants", help="Only the row and what evolved from it."
)
@click.option("--full", is_flag=True, help="Whole texts, not one line of each.")
@json_option
@click.option("--dot", "file_format", flag_value="dot", help="A Graphviz file on stdout.")
@click.option("--graphml", "file_format", flag_value="graphml", help="A GraphML file on stdout.")
@store_option
def command(
    instruction_id: int, only: str | None, file_format: str | None, store: str, *, full: bool, as_json: bool
) -> None:
    """Draw the family an instruction belongs to: its seed and every attempt, the dead with what killed them.

    A line tells id, epoch, mutator, and whether the attempt survived (✓), was eliminated (✗) or failed (!). ID is
    that of any member of the family; evolve sql finds some. --json prints whole rows in the order of ids.

    \b
    Examples:
        evolve lineage 1099511627776
        evolve lineage 1099511627906 --ancestors --full
        evolve lineage 1099511627776 --dot | dot -Tsvg > family.svg
    """
    if (file_format is not None) + as_json + full > 1:
        raise click.UsageError("--full, --json, --dot and --graphml exclude each other.")
    from evolver_store import lineage
    from evolver_store.connect import reading

    ask = {"ancestors": lineage.ancestors, "descendants": lineage.descendants}.get(only or "", lineage.family)
    with reading(store) as engine, engine.connect() as conn:
        rows = ask(conn, instruction_id)
    if file_format is not None:
        from evolver_store.graph_files import dot, graphml

        click.echo((dot if file_format == "dot" else graphml)(lineage.graph_of(rows)))
    elif as_json:
        from evolver.cli.output import print_json

        print_json(rows)
    else:
        _draw(rows, instruction_id, full=full)


def _draw(rows: list[Row], asked: int, *, full: bool) -> None:
    """Draw a tree by parents; the row that was asked for is marked."""
    from rich.tree import Tree

    from evolver.cli.output import console

    branches: dict[int, Tree] = {}
    top: Tree | None = None
    for row in rows:
        label = _label(row, marked=row["id"] == asked and len(rows) > 1, full=full)
        parent = branches.get(row["parent_id"])
        branches[row["id"]] = branch = Tree(label) if parent is None else parent.add(label)
        top = top or branch
    console().print(top)


def _label(row: Row, *, marked: bool, full: bool) -> Text:
    """Tell of one row: what it is, its text, and of the dead their rule and reason."""
    from rich.text import Text

    from evolver.cli.output import harmless, one_line

    clean = harmless if full else one_line
    dead = row["status"] in ("eliminated", "failed")
    label = Text(style="dim" if dead else "", no_wrap=not full, overflow="fold" if full else "ellipsis")
    label.append("▶ " if marked else "", style="bold yellow")
    label.append(f"{row['id']} ")
    label.append(_what(row), style="red" if dead else "green" if row["epoch"] else "cyan")
    label.append("\n" if full else " ")
    label.append(clean(row["instruction"] or "(no text)"), style="" if dead else "bold")
    if full and row["response"]:
        label.append("\nresponse: ", style="cyan")
        label.append(harmless(row["response"]))
    if dead:
        label.append(f"\n{one_line(row['rule'] or '?')}: ", style="red")
        label.append(clean(row["reason"] or ""))
    return label


def _what(row: Row) -> str:
    if not row["epoch"]:
        return "seed"
    from evolver.cli.output import one_line

    attempt = f".{row['attempt']}" if row["attempt"] > 1 else ""
    return f"{row['epoch']}{attempt} {one_line(row['mutator'] or '?')} {_SIGNS[row['status']]}"
