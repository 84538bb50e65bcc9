"""Read a store of an older schema as if it had the newest one, without a change to it.

Tables and columns that the database lacks are stood in for by temporary views of the reader's connection: they hide the
tables of the same names, and go with the connection.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, Table, inspect

from evolver_store.schema import metadata, migrations

_VALUES = {("runs", "kind"): "'evolve'"}  # where a row of before means something else than NULL


def stand_ins(conn: Connection) -> list[str]:
    """Return the statements that a connection has to run before it reads; none write to the store."""
    there = inspect(conn)
    found = set(there.get_table_names())
    home = "main" if conn.dialect.name == "sqlite" else str(there.default_schema_name)
    statements = []
    for table in metadata.sorted_tables:
        if table is migrations:
            continue
        has = {column["name"] for column in there.get_columns(table.name)} if table.name in found else set()
        lacks = [column for column in table.columns if column.name not in has]
        if lacks:
            statements.append(_view(conn, table, lacks, f"{home}.{table.name}" if has else None))
    return statements


def _view(conn: Connection, table: Table, lacks: list[Column[object]], source: str | None) -> str:
    made = [f"{_value(conn, table, column)} AS {column.name}" for column in lacks]
    head = f"CREATE TEMPORARY VIEW {table.name} AS SELECT "
    if source is None:
        return f"{head}{', '.join(made)} WHERE 1 = 0"
    return f"{head}old.*, {', '.join(made)} FROM {source} old"


def _value(conn: Connection, table: Table, column: Column[object]) -> str:
    type_ = column.type.compile(conn.dialect)
    return f"CAST({_VALUES.get((table.name, column.name), 'NULL')} AS {type_})"
