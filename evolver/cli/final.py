"""What a finished run says: a table of epochs and rules, what the pool gave, where the dataset is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from evolver.cli.options import DEFAULT_STORE
from evolver.cli.words import SHORT_RULES, counted
from evolver.facts.spending import Spent
from evolver.pool import PoolReport
from evolver.report.summary import EpochStats, RunStats
from evolver.result import Result
from evolver_store.connect import shown, store_url


def print_final(console: Console, result: Result) -> None:
    """Print the figures of a finished run; at most 80 columns wide."""
    stats = result.stats
    rules = [rule for rule in SHORT_RULES if rule in stats.eliminated]
    others = ["other"] if stats.eliminated.keys() - SHORT_RULES.keys() else []
    table = Table(
        title=f"Run {result.run}", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    for name in ("epoch", "attempts", "survivors", *(SHORT_RULES[rule] for rule in rules), *others, "failed"):
        table.add_column(name, justify="right", no_wrap=True)
    for epoch in stats.epochs:
        table.add_row(str(epoch.epoch), *_cells(epoch, rules, others))
    table.add_section()
    table.add_row("all", *_cells(stats, rules, others), style="bold")
    console.print(table)
    if stats.failed:
        them = "it" if stats.failed == 1 else "them"
        failed = f"{counted(stats.failed, 'attempt')} failed; --retry-failed makes {them} again."
        console.print(failed, markup=False, soft_wrap=True)
    if result.pool is not None:
        for line in _pool(result.pool, stats.seeds):
            console.print(line, markup=False, soft_wrap=True)
    for line in _money(result):
        console.print(line, markup=False, soft_wrap=True)
    dataset = result.dataset
    if dataset is not None:
        parts = f"{counted(dataset.seeds, 'seed')} + {counted(dataset.survivors, 'survivor')}"
        rows = counted(dataset.rows, "row")
        console.print(f"Dataset {dataset.output}: {rows} ({parts}).", markup=False, soft_wrap=True)
        if count := dataset.seeds_without_response:
            left_out = f"{counted(count, 'seed')} without a response {'is' if count == 1 else 'are'} left out"
            them = "it" if count == 1 else "them"
            console.print(f"  {left_out}; --answer-seeds lets the model answer {them}.", markup=False)
    lineage = shown(store_url(result.store))  # without a password
    there = "" if result.store == DEFAULT_STORE else f" --store {shlex.quote(lineage)}"
    ways = f"'evolve stats{there}' or 'evolve sql{there}'"
    console.print(f"Lineage {lineage}: ask it with {ways}.", markup=False, soft_wrap=True)


def _money(result: Result) -> Iterator[str]:
    """Tell what was paid, by this session and by the whole run where they differ, and what came from the cache."""
    stats, session = result.stats, result.session
    whole = Spent(stats.calls, stats.prompt_tokens, stats.completion_tokens, stats.cost_usd)
    earlier = whole.calls - session.paid.calls
    if earlier:
        yield f"Paid in this session: {_spent(session.paid)}; in the whole run: {_spent(whole)}."
    elif whole.calls:
        yield f"Paid {_spent(whole)}."
    if session.cached.calls:
        cached = session.cached
        tokens = f"{cached.prompt_tokens:,} + {cached.completion_tokens:,} tokens"
        yield f"From the cache {counted(cached.calls, 'call')}, {tokens}, for nothing."


def _spent(spent: Spent) -> str:
    if not spent.calls:
        return "nothing"
    tokens = f"{spent.prompt_tokens:,} + {spent.completion_tokens:,} tokens"
    cost = "a price nobody knows" if spent.cost_usd is None else f"${spent.cost_usd:,.2f}"
    return f"{counted(spent.calls, 'call')}, {tokens}, {cost}"


def _pool(report: PoolReport, seeds: int) -> Iterator[str]:
    """Say what the pool gave, and what of it is in no seed."""
    if report.skipped:
        yield f"Pool: {counted(seeds, 'seed')}; skipped {report.skipped_in_words()}."
    if report.encoding != "utf-8" or report.packing or report.revision:
        yield f"Pool read as {report.read_as()}."
    if unused := report.unused_in_words():
        yield f"Not used of the pool: {unused}."


def _cells(stats: EpochStats | RunStats, rules: Sequence[str], others: Sequence[str]) -> list[str]:
    """What follows the first column: attempts, survivors, deaths by rule, failures."""
    deaths = [stats.eliminated.get(rule, 0) for rule in rules]
    rest = [sum(stats.eliminated.values()) - sum(deaths) for _ in others]
    return [f"{count:,}" for count in (stats.attempts, stats.survivors, *deaths, *rest, stats.failed)]
