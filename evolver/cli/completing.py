"""What a shell is offered for a value: names that are installed, runs that are in the store, choices, files.

A completion says nothing and breaks nothing: what cannot be read offers no names, and a server is never asked.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from evolver.errors import EvolverError
from evolver.settings.definition import Entry

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completer(entry: Entry) -> Completer | None:
    """Return what completes the value of a setting, ``None`` where only its user knows."""
    if entry.choices:
        return _one_of(lambda _: entry.choices)
    named = {
        "mutators": mutators,
        "preset": presets,
        "rules": rules,
        "skip_rules": rules,
        "model": models,
        "run": runs,
    }
    if entry.base in named:
        return named[entry.base]
    return files if entry.about.path or entry.about.metavar == "FILE" else None


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete the name of a file."""
    return [CompletionItem(incomplete, type="file")]


def mutators(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the last of the mutators and presets in a list; what may be a file is the shell's to complete."""
    return _listed(_mutator_names)(ctx, param, incomplete) or files(ctx, param, incomplete)


def mutator(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of one installed mutator."""
    from evolver.plugins import installed

    return _one_of(lambda _: installed().mutators)(ctx, param, incomplete)


def presets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a preset."""
    from evolver.plugins import installed

    return _one_of(lambda _: installed().presets)(ctx, param, incomplete)


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the last of the rules in a list."""
    from evolver.elimination.built_in import BUILT_IN

    return _listed(lambda _: BUILT_IN)(ctx, param, incomplete)


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the part of a model's name that says whose it is."""
    from evolver.models.registry import usages

    return _one_of(lambda _: [one.replace("NAME", "") for one in usages()[0]])(ctx, param, incomplete)


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a run in the store, where that is a file."""
    return _one_of(_run_names)(ctx, param, incomplete)


def named_queries(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a named query."""
    from evolver_store.named_queries import NAMED_QUERIES

    found = [CompletionItem(one.name, help=one.question) for one in NAMED_QUERIES]
    return [one for one in found if one.value.startswith(incomplete)]


def _one_of(names: Callable[[click.Context], Iterable[str]]) -> Completer:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(one) for one in _quietly(names, ctx) if one.startswith(incomplete)]

    return complete


def _listed(names: Callable[[click.Context], Iterable[str]]) -> Completer:
    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        given = set(before.split(","))
        found = [one for one in _quietly(names, ctx) if one.startswith(last) and one not in given]
        return [CompletionItem(f"{before}{comma}{one}") for one in found]

    return complete


def _quietly(names: Callable[[click.Context], Iterable[str]], ctx: click.Context) -> list[str]:
    try:
        with redirect_stderr(io.StringIO()):
            return list(names(ctx))
    except EvolverError:
        return []


def _mutator_names(_ctx: click.Context) -> list[str]:
    from evolver.plugins import installed

    known = installed()
    return [*known.presets, *known.mutators]


def _run_names(ctx: click.Context) -> list[str]:
    from evolver.settings.fields import entry
    from evolver.settings.file import store_from_file

    named = ctx.params.get("store") or ctx.params.get("stores") or os.environ.get("EVOLVE_STORE")
    store = named[-1] if isinstance(named, tuple) else named or store_from_file() or entry("store").default
    # a server is no file
    if not Path(store.removeprefix("sqlite:///")).is_file():
        return []
    from evolver_store.connect import reading
    from evolver_store.schema import runs as table

    with reading(store) as engine, engine.connect() as conn:
        return [str(name) for (name,) in conn.execute(table.select().with_only_columns(table.c.name))]
