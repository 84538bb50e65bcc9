"""The question before a run that costs money."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from evolver.cli.output import harmless
from evolver.cli.quote import print_estimate
from evolver.cli.terminal import stderr_console
from evolver.errors import EvolverError, SettingsError
from evolver.evolution import Evolution
from evolver.report.estimate import Estimate, dollars
from evolver.settings import Settings


def ask_before_paying(evolution: Evolution, console: Console) -> None:
    """Show what a paid run will take and ask whether to begin it; say nothing of one that costs nothing.

    Somebody who has said ``--yes``, or bounded the cost where nobody can be asked, is only told.

    Raises:
        SettingsError: Nobody can be asked; nothing was sent.
        EvolverError: The answer is no; nothing was sent.
    """
    settings = evolution.settings
    plan = evolution.prepare()  # a key or a package that is missing is told before the question, not after it
    if not plan.costs:
        return
    estimate = evolution.estimate()
    if not estimate.calls:
        return
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if settings.yes or (_is_bounded(settings, estimate) and not terminal):
        console.print(
            f"Estimated: {estimate.in_short()} at most.{_share(estimate, settings)}",
            markup=False,
            soft_wrap=True,
        )
        return
    if not terminal:
        bound = "--max-cost USD to bound the spend"
        if estimate.cost_usd is None:
            bound = "--max-calls N to bound the calls, or name a model of the same price with --price-as openai:NAME"
        raise SettingsError(
            f"this run costs money ({estimate.in_short()}) and there is no terminal to ask on; nothing was sent. "
            f"Run it with --yes, or with {bound}."
        )
    _ask(estimate, settings)


def _ask(estimate: Estimate, settings: Settings) -> None:
    print_estimate(stderr_console(), estimate)
    bound = "" if settings.max_cost is None else f" It stops at {dollars(settings.max_cost)} (--max-cost)."
    bound += _share(estimate, settings)
    if settings.max_calls is not None:
        bound += f" It stops after {settings.max_calls:,} calls (--max-calls)."
    if not click.confirm(harmless(f"{bound} Begin?".strip()), default=False, err=True):
        raise EvolverError("not begun; nothing was sent and nothing is written.")


def _share(estimate: Estimate, settings: Settings) -> str:
    """Say what part of the run a budget buys that does not reach for all of it."""
    most, cost = settings.max_cost, estimate.cost_usd
    left = None if most is None else most - estimate.spent_usd
    if left is None or not cost or left >= cost:
        return ""
    return f" What is left of --max-cost buys about {max(0.0, left / cost):.1%} of it, in whole rows."


def _is_bounded(settings: Settings, estimate: Estimate) -> bool:
    """Tell whether the user has said how far it may go: in dollars, or in calls where nobody knows the dollars."""
    calls_bound = settings.max_calls is not None and estimate.cost_usd is None
    return settings.max_cost is not None or calls_bound
