"""The ``evolve`` command: which subcommand is meant, and the one place where an error becomes a message."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from evolver.cli.arguments import command_first, no_such_command, refuse_repeats, with_hint
from evolver.cli.command import write_options
from evolver.cli.streams import prepare_streams
from evolver.errors import EvolverError
from evolver.text import harmless, passwords_in, without_passwords

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "run": "Evolve a pool and write the dataset; what 'evolve --pool FILE' does.",
    "estimate": "Estimate calls, tokens and dollars of a run before it is begun.",
    "check": "Ask each model once with a run's settings, and show what came back.",
    "mutators": "List the mutators, or show the prompt one of them sends.",
    "merge": "Join runs and OSS-Instruct files into one dataset, cleaned and decontaminated.",
    "runs": "List the runs in a store; rename or delete one.",
    "batches": "List what is in flight at half price, or cancel it.",
    "stats": "Show what became of a run: epoch by mutator by rule, lengths, cost.",
    "rules": "List the elimination rules, which are on, and how precise they are.",
    "audit": "Tell what of a data set would die of which rule; no model is asked.",
    "compare": "Show two runs side by side: settings, figures, and what became of the same seeds.",
    "lineage": "Draw the family an instruction belongs to.",
    "diff": "Show what an attempt changed, word by word.",
    "completion": "Let bash, zsh or fish complete commands, options and values.",
    "trust": "Let all that a settings file says count, or list and remove such files.",
    "sql": "Ask the lineage in SQL, read-only.",
}

_UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""What the system answers where there is no room, or no way, to write."""


_COLLECT_EVERY = 20_000  # new objects; Python's own is 700


class LazyGroup(click.Group):
    """Subcommands are imported when they are used, so that ``evolve --help`` is quick.

    Options in the first place belong to ``run``: ``evolve --pool FILE`` is ``evolve run --pool FILE``.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the subcommand before options that are not the group's own; without one, ``run``."""
        if args and args[0].startswith("-") and args[0] not in ("--help", "-h", "--version", "-V"):
            run_command = self.get_command(ctx, "run")
            assert run_command is not None
            args = command_first(args, list(COMMANDS), run_command)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, and refuse a value that it is given twice."""
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise no_such_command(args[0], list(COMMANDS), ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            refuse_repeats(command, ctx, rest)
        return name, command, rest

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete subcommands, and the options of a run, which need no subcommand before them."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            run_command = self.get_command(ctx, "run")
            assert run_command is not None
            known = {one.value for one in found}
            inner = click.Context(run_command, parent=ctx, info_name="run", resilient_parsing=True)
            found += [one for one in run_command.shell_complete(inner, incomplete) if one.value not in known]
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; say of a choice that was mistyped which may be meant."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            raise with_hint(error) from error.__cause__

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands, the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"evolver.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands, then the options of a run, without importing any but ``run``."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        run_command = self.get_command(ctx, "run")
        assert run_command is not None
        options = [one for one in run_command.get_params(ctx) if one.name != "help"]
        formatter.write_paragraph()
        formatter.write_text("Options of a run (evolve run --help says more):")
        write_options(options, ctx, formatter)


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A newcomer starts with: evolve --pool FILE --epochs 4",
)
@click.version_option(None, "--version", "-V", package_name="evolver", message="evolver %(version)s")
def main() -> None:
    """Grow a pool of instructions into a graded, diverse training set (Evol-Instruct).

    \b
    evolve --pool alpaca52k.json --epochs 4              with the embedded model: shows the pipeline
    evolve --pool pool.json --model openai:gpt-4.1-mini  with a real one
    evolve stats                                         what became of it
    """


def run() -> None:
    """Run the command line and exit: 0 done, 1 a stated error, 2 wrong usage, 3 budget spent, 130 interrupted."""
    # Modules are made of objects that stay: looking for garbage among them is a tenth of the time to start.
    gc.set_threshold(_COLLECT_EVERY, *gc.get_threshold()[1:])
    prepare_streams(sys.argv[1:])
    try:
        main.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        click.echo(harmless(_without_secrets(shown.getvalue())), err=True, nl=False)
        sys.exit(error.exit_code)
    except EvolverError as error:
        _fail(str(error), error.exit_code)
    except BaseExceptionGroup as group:
        stated, rest = group.split(EvolverError)
        if rest is not None or stated is None:
            raise
        first = _leaves(stated)[0]
        _fail(str(first), first.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; what was finished is stored.", 130)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain once more while it closes stdout.
        _silence_stdout()
        sys.exit(141)
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        _silence_stdout()
        _fail(
            f"the output could not be written ({error.strerror}); free space and run the same command again.",
            1,
        )


def _silence_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[EvolverError]:
    found: list[EvolverError] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += _leaves(error)
        elif isinstance(error, EvolverError):
            found.append(error)
    return found


def _without_secrets(message: str) -> str:
    """Take out what no message may repeat, wherever it came from: passwords in URLs, and keys of the environment."""
    from evolver.quoting import redact  # help pages are made without it

    given = [secret for argument in sys.argv[1:] for secret in passwords_in(argument)]
    return redact(without_passwords(message), *given)


def _fail(message: str, code: int) -> None:
    click.echo(harmless(f"evolve: {_without_secrets(message)}"), err=True)
    sys.exit(code)
