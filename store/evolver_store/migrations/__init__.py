"""Numbered migrations, each a function of a connection inside a transaction."""
