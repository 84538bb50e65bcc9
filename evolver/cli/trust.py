"""``evolve trust``: which settings files count whole."""

from __future__ import annotations

from pathlib import Path

import click

from evolver.cli.command import Command
from evolver.cli.output import one_line, print_text, tell
from evolver.errors import SettingsError


@click.command("trust", cls=Command)
@click.argument("file", default="evolve.toml", type=click.Path(path_type=Path))
@click.option(
    "--list", "listing", is_flag=True, help="List the files that are trusted, and whether they changed."
)
@click.option("--remove", is_flag=True, help="Trust the file no longer.")
def command(file: Path, *, listing: bool, remove: bool) -> None:
    """Trust a settings file as it stands, so that all it says counts.

    The evolve.toml of a folder counts without that, but for what sends (base URLs), runs (mutators and rules of files
    and modules), answers for you (yes, prices), or reads and writes outside the folder. Read the file first, and the
    code it names: it runs with your rights. A change to the file ends the trust.

    \b
    Examples:
        evolve trust
        evolve trust shared/evolve.toml
        evolve trust --list
        evolve trust --remove shared/evolve.toml
    """
    if listing and remove:
        raise click.UsageError("--list and --remove exclude each other.")
    if listing:
        _print_list()
    elif remove:
        _remove(file)
    else:
        _trust(file)


def _print_list() -> None:
    from evolver.settings.trust import digest_of, trusted_files

    for one in trusted_files():
        try:
            same = digest_of(Path(one.path).read_bytes()) == one.sha256
            state = "trusted" if same else "changed since, not trusted"
        except OSError:
            state = "not there"
        print_text(f"{one_line(one.path)}\t{state}\tsha256:{one.sha256[:16]}")


def _remove(file: Path) -> None:
    from evolver.settings.trust import distrust

    if not distrust(file):
        raise SettingsError(
            f"{file} was not trusted; nothing changed. 'evolve trust --list' names those that are."
        )
    tell(f"{file} is trusted no longer.")


def _trust(file: Path) -> None:
    from evolver.settings.file import find_file
    from evolver.settings.risks import shown
    from evolver.settings.trust import trust

    found = find_file(file)
    assert found is not None
    for name, said in found.layer().items():
        tell(f"  {name} = {shown(said.value)}")
    trust(file, found.raw)
    tell(f"{file} is trusted as it stands, at {file.resolve()}.")
