"""What holds for every subcommand: options in front of it, a value given twice, and names that were mistyped."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches

import click

_NOT_ONE_OF = re.compile(r"'(.+)' is not one of")


def command_first(args: list[str], commands: list[str], run: click.Command) -> list[str]:
    """Put the subcommand before the options that were written in front of it; without one, ``run``.

    Args:
        args: What was written, beginning with an option.
        commands: The names of the subcommands.
        run: The command whose options may stand there; one that it does not know is taken to have no value.
    """
    takes_value = {
        name
        for param in run.params
        if isinstance(param, click.Option) and not (param.is_flag or param.count)
        for name in param.opts
    }
    place = 0
    while place < len(args) and args[place].startswith("-") and args[place] not in ("-", "--"):
        place += 2 if args[place] in takes_value else 1
    if place < len(args) and args[place] in commands:
        return [args[place], *args[:place], *args[place + 1 :]]
    return ["run", *args]


def refuse_repeats(command: click.Command, ctx: click.Context, args: list[str]) -> None:
    """Refuse an option that takes one value and is given two, of which click would keep the last.

    Raises:
        UsageError: One is.
    """
    try:
        inner = click.Context(command, parent=ctx)
        _, _, order = command.make_parser(inner).parse_args(args=list(args))
    except click.UsageError:
        return  # said by click itself, when the command reads its options
    for param, times in Counter(order).items():
        single = isinstance(param, click.Option) and not (param.multiple or param.is_flag or param.count)
        if times > 1 and single:
            raise click.UsageError(
                f"{param.opts[0]} is given {times} times and takes one value; nothing was done.", ctx
            )


def no_such_command(name: str, commands: list[str], ctx: click.Context) -> click.UsageError:
    """Make the error of a subcommand that is none, with the one that may be meant."""
    near = get_close_matches(name, commands, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "'evolve --help' lists them."
    return click.UsageError(f"there is no command {name!r}; nothing was done. {hint}", ctx)


def with_hint(error: click.BadParameter) -> click.BadParameter:
    """Add the choice that may be meant to an error that a choice raised."""
    kind = None if error.param is None else error.param.type
    wrong = _NOT_ONE_OF.match(error.message)
    if isinstance(kind, click.Choice) and wrong is not None:
        near = get_close_matches(wrong[1], [str(one) for one in kind.choices], n=1)
        if near:
            hint = f"{error.message} Did you mean {near[0]!r}?"
            return click.BadParameter(hint, error.ctx, error.param, error.param_hint)
    return error
