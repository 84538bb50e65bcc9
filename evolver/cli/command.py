"""The manners all subcommands share: grouped help, and a value that is given twice is refused."""

from __future__ import annotations

from collections import Counter

import click

from evolver.settings.definition import GROUPS


class Command(click.Command):
    """A subcommand whose help groups its options and that takes a single value once."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an option that takes one value and is given two, of which click would keep the last."""
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for param, times in Counter(order).items():
                if times > 1 and isinstance(param, click.Option) and _takes_one_value(param):
                    raise click.UsageError(
                        f"{param.opts[0]} is given {times} times and takes one value; nothing was done.", ctx
                    )
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups, or under one where there are none."""
        write_options(self.get_params(ctx), ctx, formatter)


def write_options(params: list[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write options under the headings of their groups; those of no group come last."""
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
    for param in params:
        record = param.get_help_record(ctx)
        if record is not None:
            groups.setdefault(getattr(param, "group", "Options"), []).append(record)
    for name, records in groups.items():
        if records:
            with formatter.section(name):
                formatter.write_dl(records)


def _takes_one_value(option: click.Option) -> bool:
    return not (option.multiple or option.is_flag or option.count)
