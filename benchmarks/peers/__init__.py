"""Evolver beside others: the same pool, server and concurrency, each tool in an environment of its own."""
