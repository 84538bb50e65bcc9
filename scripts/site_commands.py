"""The commands as the site shows them: with the examples of their help as blocks of code."""

from __future__ import annotations

import copy
import inspect
import re

import click

from evolver.cli.main import main

KEPT = re.compile(r"^\x08\n(?:Examples:\n)?(.+(?:\n.+)*)", re.MULTILINE)


def documented(command: click.Command) -> click.Command:
    """Return a copy of a command, and of all below it, with help in Markdown."""
    made = copy.copy(command)
    made.help = KEPT.sub(_block, inspect.cleandoc(command.help or ""))
    if isinstance(command, click.Group) and isinstance(made, click.Group):
        with click.Context(command) as ctx:
            below = {name: command.get_command(ctx, name) for name in command.list_commands(ctx)}
        made.commands = {name: documented(one) for name, one in below.items() if one is not None}
    return made


def _block(found: re.Match[str]) -> str:
    return f"```text\n{inspect.cleandoc(found[1])}\n```"


evolve = documented(main)
