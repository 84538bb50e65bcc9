"""``evolve completion``: what makes a shell complete commands, options and their values."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from evolver.cli.command import Command
from evolver.cli.output import print_text, tell
from evolver.errors import EvolverError, OutputError

SHELLS = ("bash", "zsh", "fish")
_MARK = "# evolve completion"
_RC = {"bash": ".bashrc", "zsh": ".zshrc"}


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.option("--install", is_flag=True, help="Write it where the shell finds it, instead of printing it.")
def command(shell: str | None, *, install: bool) -> None:
    """Print what makes a shell complete evolve, or install it; the shell is $SHELL unless it is named.

    Completed are commands, the options of a run after plain evolve, and values: formats, mutators, presets, rules,
    runs of the store, named queries, files. fish loads completions by itself; for bash and zsh a line is added to
    ~/.bashrc or ~/.zshrc, once.

    \b
    Examples:
        evolve completion --install
        eval "$(evolve completion bash)"
        evolve completion zsh > ~/.zfunc/_evolve
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        raise click.UsageError(f"which shell? Name one of {', '.join(SHELLS)}.")
    script = _script(name)
    if not install:
        print_text(script)
        return
    file = _install(name, script)
    tell(f"Installed in {file}; a new {name} completes evolve.")


def _script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    from evolver.cli.main import main

    if shell == "bash" and shutil.which("bash") is None:  # click looks at its version
        raise EvolverError("there is no bash here; nothing was printed. Name another shell.")
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(main, {}, "evolve", "_EVOLVE_COMPLETE").source()


def _install(shell: str, script: str) -> Path:
    """Write the script, and have it loaded by shells that begin from now on.

    Raises:
        OutputError: A file cannot be written.
    """
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    fish = config / "fish" / "completions" / "evolve.fish"
    file = fish if shell == "fish" else data / "evolver" / f"completion.{shell}"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(script + "\n", encoding="utf-8")
        if shell in _RC:
            folder = Path(os.environ.get("ZDOTDIR") or home) if shell == "zsh" else home
            _load_from(folder / _RC[shell], shell, file)
    except OSError as error:
        raise OutputError(
            f"{error.filename or file} cannot be written ({error.strerror}); completion is not installed. "
            f"Load it by hand: evolve completion {shell}"
        ) from error
    return file


def _load_from(rc: Path, shell: str, file: Path) -> None:
    """Add the line that loads the script, unless it is there; the rest of the file is left as it is."""
    before = rc.read_text(encoding="utf-8", errors="surrogateescape") if rc.exists() else ""
    if _MARK in before:
        return
    quoted = "'" + str(file).replace("'", "'\\''") + "'"
    ready = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }; " if shell == "zsh" else ""
    line = f"[ -r {quoted} ] && {{ {ready}. {quoted}; }}  {_MARK}\n"
    with rc.open("a", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(("" if before.endswith("\n") or not before else "\n") + line)
