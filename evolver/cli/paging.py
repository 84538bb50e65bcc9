"""``--no-pager``, for commands whose tables can be long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_UNWANTED = "evolver.no_pager"


def pager_option(command: _Command) -> _Command:
    """Add ``--no-pager``."""
    return click.option(
        "--no-pager",
        is_flag=True,
        expose_value=False,
        callback=_note,
        help="Print all at once, however long; a terminal gets $PAGER otherwise.",
    )(command)


def pager_wanted() -> bool:
    """Tell whether the command that runs was not given ``--no-pager``."""
    context = click.get_current_context(silent=True)
    return context is None or not context.meta.get(_UNWANTED, False)


def _note(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[_UNWANTED] = value
