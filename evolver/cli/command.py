"""Help that groups the options of a command under headings."""

from __future__ import annotations

import click

from evolver.settings.definition import GROUPS


class Command(click.Command):
    """A subcommand whose help groups its options."""

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
