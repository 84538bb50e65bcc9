"""``evolve sql``: questions to the lineage, which the database answers without letting anything be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evolver.cli.options import completing, json_option, run_option, store_option
from evolver.cli.paging import pager_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from evolver_store.query import Answer

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a cell begins with that a spreadsheet computes
_TABLE_ROWS = 1_000  # a table is as wide as its widest cell, so all of its rows are held in memory


@click.command("sql")
@click.argument("query", metavar='"SELECT …"', required=False)
@click.option(
    "--named",
    metavar="NAME",
    shell_complete=completing("named_queries"),
    help="Ask one of the named queries instead.",
)
@click.option("--list", "listing", is_flag=True, help="List the named queries; with --json their SQL, too.")
@run_option
@store_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a line of names.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Print the first N rows.  [default: {_TABLE_ROWS} in a table, else all]",
)
@pager_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    metavar="S",
    help="Seconds that the database may work.  [default: 30]",
)
def command(
    query: str | None,
    named: str | None,
    run_name: str | None,
    store: str,
    limit: int | None,
    timeout: float,
    *,
    listing: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Ask the lineage in SQL; the database lets a query read and nothing else.

    Tables: runs, instructions, calls. Views: survivors, epoch_summary. The query - is read from stdin. --run goes with
    --named: those queries are about one run.

    \b
    Examples:
        evolve sql "SELECT status, COUNT(*) FROM instructions GROUP BY status"
        evolve sql --named deepest-families
        evolve sql "SELECT id, instruction FROM survivors WHERE epoch = 4" --json
    """
    if listing + (named is not None) + (query is not None) != 1:
        raise click.UsageError('give one of: a query ("SELECT …"), --named NAME, or --list.')
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    if run_name is not None and named is None:
        raise click.UsageError("--run goes with --named; write WHERE run_id = … into a query of your own.")
    if listing:
        _print_listing(as_json=as_json)
        return
    from evolver_store.query import asking

    sql, params = _question(query, named, run_name, store)
    # One more than a table shows tells whether there are more.
    most = limit or (None if as_json or as_csv else _TABLE_ROWS + 1)
    with asking(store, sql, params, timeout=timeout, most=most) as answer:
        if as_json:
            _print_json(answer, limit)
        elif as_csv:
            _print_csv(answer, limit)
        else:
            _print_table(answer, limit)


def _question(
    query: str | None, named: str | None, run_name: str | None, store: str
) -> tuple[str, Mapping[str, Any] | None]:
    """Return the SQL and its values."""
    import sys

    if query == "-":
        return sys.stdin.buffer.read().decode(errors="surrogateescape"), None
    if named is None:
        return query or "", None
    from evolver_store.connect import reading
    from evolver_store.named_queries import named_query
    from evolver_store.runs import get_run

    found = named_query(named)
    with reading(store) as engine, engine.connect() as conn:
        return found.sql, {"run": get_run(conn, run_name, store).id}


def _print_listing(*, as_json: bool) -> None:
    from evolver.cli.output import add_row, print_json, print_table, table
    from evolver_store.named_queries import NAMED_QUERIES

    if as_json:
        print_json({"name": one.name, "question": one.question, "sql": one.sql} for one in NAMED_QUERIES)
        return
    made = table(("name", "question"), whole=("name",))
    for one in NAMED_QUERIES:
        add_row(made, (one.name, one.question))
    print_table(made)


def _first(answer: Answer, limit: int | None) -> Iterator[tuple[Any, ...]]:
    from itertools import islice

    return islice(answer.rows, limit)


def _print_json(answer: Answer, limit: int | None) -> None:
    from evolver.cli.output import print_json
    from evolver.lineage import unique

    names = unique(answer.columns)
    print_json(dict(zip(names, row, strict=True)) for row in _first(answer, limit))


def _print_csv(answer: Answer, limit: int | None) -> None:
    """Print CSV; cells that a spreadsheet would take for formulas are left as they are, and told of once."""
    import csv
    import json
    import sys

    from evolver.cli.output import harmless, plain, tell

    on_terminal, formulas = sys.stdout.isatty(), 0
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(harmless, answer.columns) if on_terminal else answer.columns)
    for row in _first(answer, limit):
        cells = [plain(value) for value in row]
        cells = [
            json.dumps(cell, ensure_ascii=False) if isinstance(cell, dict | list) else cell for cell in cells
        ]
        formulas += sum(isinstance(cell, str) and cell.startswith(_FORMULA) for cell in cells)
        writer.writerow(harmless(cell) if on_terminal and isinstance(cell, str) else cell for cell in cells)
    if formulas:
        one = formulas == 1
        tell(
            f"{formulas:,} {'cell begins' if one else 'cells begin'} with =, +, - or @; a spreadsheet takes "
            f"{'it' if one else 'them'} for {'a formula' if one else 'formulas'}. Import the columns as text."
        )


def _print_table(answer: Answer, limit: int | None) -> None:
    from evolver.cli.output import add_row, plain, print_table, table, tell

    rows = [[plain(value) for value in row] for row in _first(answer, limit or _TABLE_ROWS)]
    figures = [
        name
        for place, name in enumerate(answer.columns)
        if rows and all(isinstance(row[place], int | float | None) for row in rows)
    ]
    made = table(answer.columns, right=figures)
    for row in rows:
        add_row(made, (_shown(name, value) for name, value in zip(answer.columns, row, strict=True)))
    print_table(made)
    if limit is None and next(answer.rows, None) is not None:
        tell(f"The first {_TABLE_ROWS:,} rows; there are more. --limit N, --json and --csv show them.")


def _shown(name: str, value: Any) -> Any:
    """Leave ids as they are to be typed again, and give those of rows their names."""
    from evolver.cli.sheet import RowId

    if isinstance(value, int) and (name == "id" or name.endswith("_id")):
        return RowId(value) if RowId.is_one(value) else str(value)
    return value
