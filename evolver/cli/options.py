"""Options that several subcommands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from evolver.settings.definition import Entry, Group
from evolver.settings.fields import entries, entry

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEFAULT_STORE: str = entry("store").default


class GroupedOption(click.Option):
    """An option that says under which heading of the help it stands."""

    group: Group = "Program"


class SettingOption(GroupedOption):
    """The option of a setting. Its text is read and checked where variables and files are, by ``load_settings``."""

    def __init__(self, entry: Entry) -> None:
        how: dict[str, Any] = {"help": entry.help, "default": None}
        if entry.switch:
            how |= {"flag_value": not entry.off_switch}
        else:
            how |= {"metavar": entry.metavar, "type": click.STRING, "multiple": entry.many}
            how |= {"shell_complete": _when_asked(entry)}
        if entry.about.bare is not None:
            how |= {"is_flag": False, "flag_value": entry.about.bare}
        super().__init__([entry.flag, entry.name], **how)
        self.entry = entry
        self.group = entry.about.group


def completing(name: str) -> Completer:
    """Return a completer of ``evolver.cli.completing``, which is loaded when a shell asks."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        found: Completer = getattr(import_module("evolver.cli.completing"), name)
        return found(ctx, param, incomplete)

    return complete


def _when_asked(entry: Entry) -> Completer:
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from evolver.cli.completing import completer  # loaded when a shell asks

        found = completer(entry)
        return [] if found is None else found(ctx, param, incomplete)

    return complete


def setting_options() -> list[click.Parameter]:
    """Make the options of a run, one for each setting that the command line takes."""
    config = GroupedOption(
        ["--config"],
        metavar="FILE",
        shell_complete=completing("files"),
        help="Settings in TOML, trusted for being named.  [default: evolve.toml]",
    )
    return [*(SettingOption(one) for one in entries() if one.at("command line")), config]


def program_options() -> list[click.Parameter]:
    """Make the options of a run that are no settings: what it logs, and whether it is only estimated."""
    verbose = GroupedOption(
        ["-v", "--verbose"],
        count=True,
        help="Log each call on stderr: purpose, model, row, try, status, seconds; -vv its texts, too.",
    )
    log = GroupedOption(
        ["--log"],
        metavar="FILE",
        shell_complete=completing("files"),
        help="Add that log to a file.",
    )
    dry = GroupedOption(["--dry-run"], is_flag=True, help="Estimate instead; the same as evolve estimate.")
    return [verbose, log, dry]


def json_figures_option() -> click.Parameter:
    """Make ``--json`` of commands that print one object."""
    made = GroupedOption(
        ["--json", "as_json"], is_flag=True, help="Print the final figures as one JSON object on stdout."
    )
    made.group = "Output"
    return made


def said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that somebody gave."""
    return {name: value for name, value in given.items() if value not in (None, ())}


def store_option(command: _Command) -> _Command:
    """Add ``--store``; the command gets what the user named, by flag, EVOLVE_STORE or evolve.toml."""
    return click.option(
        "--store",
        metavar="URL",
        envvar="EVOLVE_STORE",
        default=default_store,
        shell_complete=completing("files"),
        help="Where the lineage is: a file or postgresql://….  [default: evolve.db]",
    )(command)


def run_option(command: _Command) -> _Command:
    """Add ``--run``; ``None`` means the newest."""
    return click.option(
        "--run",
        "run_name",
        metavar="NAME",
        shell_complete=completing("runs"),
        help="Name of the run.  [default: the newest in the store]",
    )(command)


def json_option(command: _Command) -> _Command:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")(command)


def default_store() -> str:
    """Return the store that evolve.toml in the working directory names, as a run does, else the default."""
    from evolver.settings.file import store_from_file  # few commands come without --store

    context = click.get_current_context(silent=True)
    if context is not None and context.resilient_parsing:
        return DEFAULT_STORE  # a shell asks what may come next
    return store_from_file() or DEFAULT_STORE
