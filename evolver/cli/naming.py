"""Rows on the command line: an argument that takes an id or a name, and how both are shown."""

from __future__ import annotations

from typing import Any

import click


class RowName(click.ParamType[str]):
    """``17/2``, ``17`` or an id; what has neither form is wrong usage."""

    name = "row"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text as it is: which row it means is known once the store is open."""
        from evolver_store.names import is_name

        text = str(value)
        if not is_name(text):
            self.fail(
                f"{text!r} names no row: write SEED, SEED/EPOCH or SEED/EPOCH.ATTEMPT, as in 17/2 (what became of "
                "the 17th seed in epoch 2), or an id.",
                param,
                ctx,
            )
        return text


def shown_row(id_: int) -> str:
    """Return an id with the name that says the same within its run: ``1099511693442 17/2``."""
    from evolver_store.names import name_of

    return f"{id_} {name_of(id_)}"
