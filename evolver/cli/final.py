"""What a finished run says: a table of epochs and rules, what the pool gave, where the dataset is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from evolver.cli.words import SHORT_RULES
from evolver.evolution import Result
from evolver_store.connect import shown, store_url


def print_final(console: Console, result: Result) -> None:
    """Print the figures of a finished run; at most 80 columns wide."""
    stats = result.stats
    rules = [rule for rule in SHORT_RULES if rule in stats.eliminated]
    table = Table(title=f"Run {result.run}", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for name in ("epoch", "attempts", "survivors", *(SHORT_RULES[rule] for rule in rules), "failed"):
        table.add_column(name, justify="right", no_wrap=True)
    for epoch in stats.epochs:
        deaths = (f"{epoch.eliminated.get(rule, 0):,}" for rule in rules)
        table.add_row(
            str(epoch.epoch), f"{epoch.attempts:,}", f"{epoch.survivors:,}", *deaths, f"{epoch.failed:,}"
        )
    table.add_section()
    deaths = (f"{stats.eliminated.get(rule, 0):,}" for rule in rules)
    table.add_row(
        "all", f"{stats.attempts:,}", f"{stats.survivors:,}", *deaths, f"{stats.failed:,}", style="bold"
    )
    console.print(table)
    if result.pool is not None and result.pool.skipped:
        console.print(f"Pool: {stats.seeds:,} seeds; skipped {result.pool.skipped_in_words()}.", markup=False)
    if stats.calls:
        tokens = f"{stats.prompt_tokens:,} + {stats.completion_tokens:,} tokens"
        cost = "a price nobody knows" if stats.cost_usd is None else f"${stats.cost_usd:,.2f}"
        console.print(f"Paid {stats.calls:,} calls, {tokens}, {cost}.", markup=False)
    dataset = result.dataset
    if dataset is not None:
        rows = f"{dataset.rows:,} rows ({dataset.seeds:,} seeds + {dataset.survivors:,} survivors)"
        console.print(f"Dataset {dataset.output}: {rows}.", markup=False, soft_wrap=True)
        if dataset.seeds_without_response:
            left_out = f"{dataset.seeds_without_response:,} seeds without a response are left out"
            console.print(f"  {left_out}; --answer-seeds lets the model answer them.", markup=False)
    lineage = shown(store_url(result.store))  # without a password
    console.print(
        f"Lineage {lineage}: ask it with 'evolve stats' or 'evolve sql'.", markup=False, soft_wrap=True
    )
