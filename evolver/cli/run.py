"""``evolve run``, which is also plain ``evolve --pool FILE``: the main job."""

from __future__ import annotations

from typing import Any

import click

from evolver.cli.command import Command
from evolver.cli.estimate import print_estimate_of
from evolver.cli.options import json_figures_option, program_options, said, setting_options


@click.command("run", cls=Command, params=[*setting_options(), *program_options(), json_figures_option()])
def command(as_json: bool, verbose: int, log: str | None, dry_run: bool, **given: Any) -> None:
    """Evolve a pool over some epochs and merge all generations into one dataset.

    Every option is also an EVOLVE_* variable and a key of evolve.toml in the working directory. The same
    command again goes on with a run that was stopped, and a larger --epochs with one that is finished.

    \b
    Examples:
        evolve --pool alpaca52k.json --epochs 4
        evolve --pool seeds.jsonl --model openai:gpt-4.1-mini --max-cost 20
        evolve --pool code.json --preset wizardcoder --output code.parquet
    """
    from evolver.settings import load_settings  # a help page needs none of it

    settings = load_settings(**said(given))
    if dry_run:
        print_estimate_of(settings, as_json=as_json)
        return
    from evolver.cli.log import open_log
    from evolver.cli.session import run_session

    with open_log(verbose, log):
        run_session(settings, as_json=as_json)
