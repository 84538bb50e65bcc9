"""How an estimate is shown: as a table, as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from rich.console import Console

from evolver.calls.prices import WAYS_TO_PRICE
from evolver.cli.output import add_row, print_table, table
from evolver.report.estimate import Estimate, dollars


def figures(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as JSON has it, with its sums."""
    sums = ("calls", "prompt_tokens", "completion_tokens", "cost_usd")
    return {**dataclasses.asdict(estimate), **{name: getattr(estimate, name) for name in sums}}


def print_estimate(to: Console, estimate: Estimate) -> None:
    """Print an estimate as a table and what it rests on; at most 80 columns wide in the usual case."""
    columns = ("epoch", "purpose", "calls", "prompt tokens", "completion tokens", "dollars")
    shown = table(columns, right={*columns} - {"purpose"}, title=f"Left of run {estimate.run}")
    for line in estimate.lines:
        tokens = line.prompt_tokens, line.completion_tokens
        add_row(shown, (line.epoch or "seeds", line.purpose, line.calls, *tokens, dollars(line.cost_usd)))
    shown.add_section()
    sums = estimate.calls, estimate.prompt_tokens, estimate.completion_tokens
    add_row(shown, ("all", None, *sums, dollars(estimate.cost_usd)), "bold")
    print_table(shown, to)
    for note in _notes(estimate):
        to.print(note, markup=False)


def _notes(estimate: Estimate) -> list[str]:
    models = sorted({line.model for line in estimate.lines})
    done = f", {estimate.attempts_done:,} attempts done" if estimate.attempts_done else ""
    notes = [f"{estimate.seeds:,} seeds x {estimate.epochs} epochs{done}; {', '.join(models)}."]
    basis = f"Lengths from a sample of {estimate.sample:,} seeds"
    measured = sum(line.measured for line in estimate.lines)
    if measured == len(estimate.lines):
        basis += ", put right by earlier calls"
    elif measured:
        basis += ", in part put right by earlier calls"
    notes.append(f"{basis}; calls at most.")
    if estimate.batch:
        notes.append("Half price, because the calls go through the provider's batch API.")
    if estimate.spent_usd:
        notes.append(f"Spent so far: {dollars(estimate.spent_usd)}.")
    if estimate.unpriced:
        names = " and ".join(estimate.unpriced)
        notes.append(
            f"No price is known for {names}. {WAYS_TO_PRICE}, or bound the calls with --max-calls N."
        )
    return notes
