"""``evolve run``, which is also plain ``evolve --pool FILE``: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evolver.cli.command import Command
from evolver.cli.options import json_figures_option, said, setting_options

if TYPE_CHECKING:
    from evolver.settings import Settings


@click.command("run", cls=Command, params=[*setting_options(), json_figures_option()])
def command(as_json: bool, **given: Any) -> None:
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
    _run(settings, as_json)


def _run(settings: Settings, as_json: bool) -> None:
    from evolver.cli.session import run_session

    run_session(settings, as_json=as_json)
