"""``evolve estimate``: what a run would take, before it is begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evolver.cli.command import Command
from evolver.cli.options import json_figures_option, said, setting_options

if TYPE_CHECKING:
    from evolver.settings import Settings


@click.command("estimate", cls=Command, params=[*setting_options(), json_figures_option()])
def command(as_json: bool, **given: Any) -> None:
    """Estimate calls, tokens and dollars of a run, or of what is left of it.

    Takes every option of a run, asks no model and needs no key. Prompts are rendered for a sample of the pool;
    earlier calls in the store put the guess right. Attempts that die early take less than this.

    \b
    Examples:
        evolve estimate --pool alpaca52k.json --model openai:gpt-4.1-mini
        evolve estimate --pool pool.json --model mine --base-url http://localhost:8000/v1 --price-in 0.1 --price-out 0.4
    """
    from evolver.settings import load_settings  # a help page needs none of it

    print_estimate_of(load_settings(**said(given)), as_json=as_json)


def print_estimate_of(settings: Settings, *, as_json: bool) -> None:
    """Print what is left of a run, as a table or as one JSON object on stdout."""
    from evolver.cli.output import console, print_json  # a help page needs none of this
    from evolver.cli.quote import figures, print_estimate
    from evolver.evolution import Evolution

    estimate = Evolution.of(settings).estimate()
    if as_json:
        print_json([figures(estimate)])
    else:
        print_estimate(console(), estimate)
