"""``evolve compare``: two runs side by side."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from evolver.cli.options import json_option, store_option
from evolver.cli.paging import pager_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rich.console import Console

    from evolver.report.compare import Comparison, Side


@click.command("compare")
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@store_option
@click.option("--other-store", metavar="URL", help="Where the second run is.  [default: the same store]")
@click.option(
    "--pairs", type=click.IntRange(min=0), default=5, metavar="N", help="Seeds to show.  [default: 5]"
)
@pager_option
@json_option
def command(
    first: str, second: str, store: str, other_store: str | None, pairs: int, *, as_json: bool
) -> None:
    """Compare two runs: settings that differ, survivors, deaths by rule, lengths, cost, and pairs of texts.

    Seeds are the same where their instructions are, whatever the pools. Cost is what each run paid itself; of two runs
    over one store the second is served what the first paid for. --json prints one object.

    \b
    Examples:
        evolve compare alpaca-1f6c alpaca-9b02
        evolve compare before after --store old.db --other-store new.db --json
    """
    from evolver.cli.output import console, paged, print_json
    from evolver.report.compare import compare_runs
    from evolver_store.connect import reading
    from evolver_store.runs import get_run

    with ExitStack() as stack:
        stores = (store, other_store) if other_store else (store,)
        conns = [stack.enter_context(stack.enter_context(reading(each)).connect()) for each in stores]
        here, there = conns[0], conns[-1]
        one, other = get_run(here, first, store), get_run(there, second, other_store or store)
        found = compare_runs((here, one), (there, other), pairs=pairs)
    if as_json:
        print_json([_record(found)])
        return
    with paged(console()) as out:
        _print(out, found)


def _record(found: Comparison) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "settings": {name: list(pair) for name, pair in found.settings.items()},
        "first": _side(found.first),
        "second": _side(found.second),
        "shared_seeds": asdict(found.shared),
        "pairs": [asdict(pair) for pair in found.pairs],
    }


def _side(side: Side) -> dict[str, Any]:
    from dataclasses import asdict

    total = side.total
    return {
        "run": side.run,
        "status": side.status,
        "seeds": side.seeds,
        "attempts": total.attempts,
        "survivors": total.survivors,
        "share": round(total.share, 4),
        "eliminated": total.deaths,
        "failed": dict(sorted(total.failed.items())),
        "paid": asdict(side.paid),
        "taken": {
            "prompt_tokens": total.prompt_tokens,
            "completion_tokens": total.completion_tokens,
            "cost_usd": total.cost_usd,
        },
        "lengths": [asdict(one) for one in side.lengths],
    }


def _print(out: Console, found: Comparison) -> None:
    from evolver.cli.output import add_row, print_table, table
    from evolver.facts.settings import shown

    names = found.first.run, found.second.run
    made = table(("setting", *names), title="Settings that differ")
    for name, pair in found.settings.items():
        add_row(made, (name, *(shown(value) for value in pair)))
    if found.settings:
        print_table(made, out)
    else:
        out.print("The settings of both runs are the same.")
    figures = table(("", *names), right=names, title="\nFigures")
    for row in _figures(found):
        add_row(figures, row)
    print_table(figures, out)
    shared = found.shared
    made = table(("seeds in both", "of them evolved in"), right=("seeds in both",), title="\nThe same seeds")
    for count, where in (
        (shared.evolved_in_both, "both"),
        (shared.only_in_first, f"{names[0]} alone"),
        (shared.only_in_second, f"{names[1]} alone"),
        (shared.in_neither, "neither"),
    ):
        add_row(made, (count, where))
    print_table(made, out)
    _print_pairs(out, found)


def _figures(found: Comparison) -> Iterator[tuple[Any, ...]]:
    sides = found.first, found.second
    totals = [side.total for side in sides]

    def share(count: int, attempts: int) -> str:
        return f"{count:,} ({count / attempts:.1%})" if attempts else f"{count:,}"

    yield "status", *(side.status for side in sides)
    yield "seeds", *(side.seeds for side in sides)
    yield "attempts", *(total.attempts for total in totals)
    yield "survivors", *(share(total.survivors, total.attempts) for total in totals)
    yield "survivors of shared seeds", found.shared.first_survivors, found.shared.second_survivors
    for rule in found.rules():
        yield f"died of {rule}", *(share(total.eliminated[rule], total.attempts) for total in totals)
    yield "failed", *(share(total.failed.total(), total.attempts) for total in totals)
    yield "paid calls", *(side.paid.calls for side in sides)
    yield "paid", *(_dollars(side.paid.cost_usd) for side in sides)
    yield "took, whoever paid", *(_dollars(total.cost_usd) for total in totals)
    by_epoch = [{one.epoch: one for one in side.lengths} for side in sides]
    for epoch in sorted({*by_epoch[0], *by_epoch[1]}):
        medians = (one.get(epoch) for one in by_epoch)
        what = f"characters, epoch {epoch}" if epoch else "characters, seeds"
        yield f"{what} (median)", *(None if one is None else round(one.instruction_median) for one in medians)


def _dollars(cost: float | None) -> str | None:
    return None if cost is None else f"${cost:,.4f}"


def _print_pairs(out: Console, found: Comparison) -> None:
    from rich.text import Text

    from evolver.cli.naming import shown_row
    from evolver.cli.output import harmless

    for pair in found.pairs:
        out.print()
        out.print(
            Text(f"seed {pair.first.name.partition('/')[0]}: ", "cyan").append(harmless(pair.seed), "default")
        )
        for side, text in ((found.first, pair.first), (found.second, pair.second)):
            label = Text(f"{side.run} {shown_row(text.id)} {text.mutator or 'seed'}: ", "bold")
            out.print(label.append(harmless(text.instruction), "default"), soft_wrap=True)
