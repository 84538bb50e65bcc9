"""``evolve lineage``: the family an instruction belongs to, or a whole run as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from evolver.cli.naming import RowName
from evolver.cli.options import json_option, run_option, store_option
from evolver.cli.paging import pager_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rich.text import Text
    from rich.tree import Tree
    from sqlalchemy import Connection

    from evolver_store.lineage import Row

_SIGNS = {"survivor": "✓", "eliminated": "✗", "failed": "!"}
_MOST_FOUND = 100


@click.command("lineage")
@click.argument("row", metavar="[ROW]", type=RowName(), required=False)
@click.option("--grep", metavar="TEXT", help="Find rows whose instruction holds TEXT.")
@click.option("--random", "any_row", is_flag=True, help="Any family of the run.")
@click.option(
    "--ancestors", "only", flag_value="ancestors", help="Only the row and what it was evolved from."
)
@click.option(
    "--descendants", "only", flag_value="descendants", help="Only the row and what evolved from it."
)
@click.option("--full", is_flag=True, help="Whole texts, not one line of each.")
@json_option
@click.option("--dot", "file_format", flag_value="dot", help="A Graphviz file on stdout.")
@click.option("--graphml", "file_format", flag_value="graphml", help="A GraphML file (yEd, Gephi).")
@click.option("--gexf", "file_format", flag_value="gexf", help="A GEXF file (Gephi).")
@click.option("--json-graph", "file_format", flag_value="json", help="Node-link JSON (networkx, d3).")
@run_option
@store_option
@pager_option
def command(
    row: str | None,
    grep: str | None,
    only: str | None,
    file_format: str | None,
    run_name: str | None,
    store: str,
    *,
    any_row: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Draw the family an instruction belongs to: its seed and every attempt, the dead with what killed them.

    ROW is 17 (the 17th seed of the pool), 17/2 (what became of it in epoch 2), 17/2.3 (the third attempt there), or the
    id of any member of the family. A line tells id, name, mutator, and whether the attempt survived (✓), was eliminated
    (✗) or failed (!). --json prints whole rows in the order of ids. The graph files without a ROW hold the whole run.

    \b
    Examples:
        evolve lineage 17
        evolve lineage 17/2 --ancestors --full
        evolve lineage --grep sourdough
        evolve lineage 17 --dot | dot -Tsvg > family.svg
        evolve lineage --graphml > run.graphml
    """
    if (file_format is not None) + as_json + full > 1:
        raise click.UsageError("--full, --json and the graph files exclude each other.")
    ways = (row is not None) + (grep is not None) + any_row
    if ways > 1:
        raise click.UsageError("ROW, --grep and --random exclude each other.")
    if not ways and (file_format is None or only is not None):
        raise click.UsageError(
            "name a row (17, 17/2 or an id), or use --grep TEXT or --random; a graph file without one (--graphml, "
            "--gexf, --json-graph, --dot) holds the whole run."
        )
    from evolver_store.connect import reading

    with reading(store) as engine, engine.connect() as conn:
        if grep is not None:
            _show_found(conn, grep, run_name, store, as_json=as_json, full=full)
        elif row is None and not any_row:
            _write_run(conn, run_name, store, file_format or "")
        else:
            id_ = _chosen(conn, row, run_name, store)
            _show(conn, id_, only, file_format, as_json=as_json, full=full)


def _chosen(conn: Connection, row: str | None, run_name: str | None, store: str) -> int:
    """Return the id of the row that was named, or of any seed."""
    from evolver.errors import StoreError
    from evolver_store.names import id_of, random_seed
    from evolver_store.runs import get_run

    if row is not None:
        return id_of(conn, row, run_name, store)
    run = get_run(conn, run_name, store)
    found = random_seed(conn, run.id)
    if found is None:
        raise StoreError(
            f"the run {run.name!r} holds no seed yet; nothing is shown. Ask again when it has some."
        )
    return found


def _show(
    conn: Connection, id_: int, only: str | None, file_format: str | None, *, as_json: bool, full: bool
) -> None:
    from evolver_store import lineage

    ask = {"ancestors": lineage.ancestors, "descendants": lineage.descendants}.get(only or "", lineage.family)
    rows = ask(conn, id_)
    if file_format is not None:
        _write(lineage.graph_of(map(lineage.plain, rows)), file_format)
    elif as_json:
        from evolver.cli.output import print_json

        print_json(_named(rows))
    else:
        _draw(rows, id_, full=full)


def _write_run(conn: Connection, run_name: str | None, store: str, file_format: str) -> None:
    from evolver_store.lineage import run_graph
    from evolver_store.runs import get_run

    _write(run_graph(conn, get_run(conn, run_name, store).id), file_format)


def _write(graph: Any, file_format: str) -> None:
    from evolver.cli.output import print_text
    from evolver_store.graph_files import WRITERS, node_link

    if file_format == "json":
        print_text("".join(node_link(graph)))
        return
    for line in WRITERS[file_format](graph):
        print_text(line)


def _show_found(
    conn: Connection, part: str, run_name: str | None, store: str, *, as_json: bool, full: bool
) -> None:
    """List the rows whose instruction holds a text; a single family is drawn."""
    from evolver.cli.output import print_json, tell
    from evolver_store.lineage import family, rows_by_id
    from evolver_store.names import ids_with_text
    from evolver_store.runs import get_run

    run = get_run(conn, run_name, store)
    ids = ids_with_text(conn, run.id, part, _MOST_FOUND + 1)
    more, ids = len(ids) > _MOST_FOUND, ids[:_MOST_FOUND]
    rows = rows_by_id(conn, ids)
    if as_json:
        print_json(_named(rows))
    elif len({row["root_id"] for row in rows}) == 1:
        _draw(family(conn, ids[0]), ids[0], full=full)
    elif rows:
        _list(rows, part, full=full)
    if not rows:
        tell(f"No instruction of the run {run.name} holds {part!r}.")
    elif more:
        tell(f"The first {_MOST_FOUND} rows; there are more. Look for a longer text.")


def _list(rows: list[Row], part: str, *, full: bool) -> None:
    from evolver.cli.output import add_row, print_table, table

    made = table(("id", "row", "status", "mutator", "instruction"), whole=("id", "row", "status", "mutator"))
    for row in _named(rows):
        text = row["instruction"] or ""
        shown = text if full else _around(text, part)
        add_row(made, (str(row["id"]), row["name"], row["status"], row["mutator"], shown))
    print_table(made)


def _around(text: str, part: str, width: int = 80) -> str:
    """Cut a text to what stands around the part that was looked for, on one line."""
    from evolver.cli.output import one_line

    at = max(0, text.lower().find(part.lower()))
    begin = max(0, at - (width - len(part)) // 2)
    cut = text[begin : begin + max(width, len(part))]
    return ("…" if begin else "") + one_line(cut) + ("…" if begin + len(cut) < len(text) else "")


def _named(rows: list[Row]) -> Iterator[Mapping[str, Any]]:
    from evolver_store.names import name_of

    return ({"id": row["id"], "name": name_of(row["id"]), **row} for row in rows)


def _draw(rows: list[Row], asked: int, *, full: bool) -> None:
    """Draw a tree by parents; the row that was asked for is marked."""
    from rich.tree import Tree

    from evolver.cli.output import console, paged

    branches: dict[int, Tree] = {}
    top: Tree | None = None
    for row in rows:
        label = _label(row, marked=row["id"] == asked and len(rows) > 1, full=full)
        parent = branches.get(row["parent_id"])
        branches[row["id"]] = branch = Tree(label) if parent is None else parent.add(label)
        top = top or branch
    with paged(console()) as out:
        out.print(top)


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
    from evolver_store.names import name_of

    if not row["epoch"]:
        return f"{name_of(row['id'])} seed"
    from evolver.cli.output import one_line

    return f"{name_of(row['id'])} {one_line(row['mutator'] or '?')} {_SIGNS[row['status']]}"
