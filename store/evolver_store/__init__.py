"""The lineage store: schema, migrations, the writer, and queries, on SQLite and PostgreSQL."""
