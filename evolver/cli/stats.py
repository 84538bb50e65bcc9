"""``evolve stats``: what became of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evolver.cli.options import json_option, run_option, store_option
from evolver.cli.paging import pager_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

    from evolver.facts.attempts import Tally
    from evolver.report.figures import Figures
    from evolver_store.runs import Run

_TITLES = {"no_information_gain": "no\ngain", "only_stop_words": "stop\nwords"}


@click.command("stats")
@run_option
@store_option
@pager_option
@json_option
def command(run_name: str | None, store: str, *, as_json: bool) -> None:
    """Show what became of a run: epoch by mutator by rule, the judge, lengths, tokens and cost.

    With --json each line says in "figure" what it is: run, epoch, mutator (of one epoch), lengths (in characters),
    paid (calls by purpose).

    \b
    Examples:
        evolve stats
        evolve stats --run alpaca-1f6c --json | jq 'select(.figure == "epoch")'
    """
    from evolver.cli.output import console, paged, print_json
    from evolver.facts.runs import run_status
    from evolver.report.figures import run_figures
    from evolver_store.claim import is_claimed
    from evolver_store.connect import checked, reading, store_url
    from evolver_store.runs import get_run

    with reading(store) as engine, engine.connect() as conn:
        run = get_run(conn, run_name, store)
        status = run_status(run, lambda name: is_claimed(store_url(store), name))
        figures = run_figures(conn, run.id)
    if as_json:
        print_json(_records(run, status, figures))
    else:
        with checked(store), paged(console()) as out:
            _print(out, run, status, figures)
    if run.status == "finished":
        _warn(figures)


def _warn(figures: Figures) -> None:
    """Say on stderr where the judge eliminates so much that it is worth a look.

    Of a finished run alone: in one that was stopped, rewrites that the judge called equal have their rows, and those
    that it let live wait for their answers.
    """
    from evolver.cli.output import tell

    judged = figures.attempts.total().judged
    parts = [f"epoch {epoch}" for epoch, tally in figures.attempts.by_epoch().items() if tally.judged.strict]
    parts += [mutator for mutator, tally in figures.attempts.by_mutator().items() if tally.judged.strict]
    if judged.strict or parts:
        where = f" ({', '.join(parts)})" if parts else ""
        tell(
            f"warning: the judge calls {judged.equal / judged.asked:.0%} of the rewrites equal to their parent, and "
            f"more than 30% {'overall' if judged.strict else 'in places'}{where}; it may be too strict. Read some: "
            "evolve sql --named judge-says-equal. Another --judge-model, or --no-judge, are the ways out."
        )


def _records(run: Run, status: str, figures: Figures) -> Iterator[Mapping[str, Any]]:
    from dataclasses import asdict

    about = {"run": run.name, "status": status, "model": run.model, "seeds": run.seeds}
    over = run.status == "finished"
    yield {"figure": "run", **about, **_tally(figures.attempts.total(), over=over)}
    for epoch, tally in figures.attempts.by_epoch().items():
        yield {"figure": "epoch", "run": run.name, "epoch": epoch, **_tally(tally, over=over)}
    for (epoch, mutator), tally in figures.attempts.cells.items():
        yield {
            "figure": "mutator",
            "run": run.name,
            "epoch": epoch,
            "mutator": mutator,
            **_tally(tally, over=over),
        }
    for lengths in figures.lengths:
        yield {"figure": "lengths", "run": run.name, **asdict(lengths)}
    for purpose, spent in figures.paid_by_purpose().items():
        thought = {"reasoning_tokens": figures.thought.get(purpose, 0)}
        yield {"figure": "paid", "run": run.name, "purpose": purpose, **asdict(spent), **thought}


def _tally(tally: Tally, *, over: bool) -> dict[str, Any]:
    judged = tally.judged
    return {
        "attempts": tally.attempts,
        "survivors": tally.survivors,
        "share": round(tally.share, 4),
        "eliminated": dict(sorted(tally.eliminated.items())),
        "failed": dict(sorted(tally.failed.items())),
        "judge": {
            "asked": judged.asked,
            "equal": judged.equal,
            "undecided": judged.undecided,
            "pass_rate": None if judged.pass_rate is None else round(judged.pass_rate, 4),
            "strict": over and judged.strict,
        },
        "prompt_tokens": tally.prompt_tokens,
        "completion_tokens": tally.completion_tokens,
        "cost_usd": tally.cost_usd,
    }


def _print(console: Console, run: Run, status: str, figures: Figures) -> None:
    from evolver.cli.output import harmless

    seeds = "its pool not stored whole yet" if run.seeds is None else f"{run.seeds:,} seeds"
    console.print(harmless(f"Run {run.name}: {status}, {seeds}, {run.model}"), soft_wrap=True)
    total = figures.attempts.total()
    if not total.attempts:
        console.print("No attempt has been stored yet.")
        return
    _print_attempts(console, figures)
    judged = total.judged
    if judged.pass_rate is not None:
        so_far = "" if run.status == "finished" else "; those that wait for their answer are not counted yet"
        undecided = f", {judged.undecided:,} undecided" if judged.undecided else ""
        console.print(
            f"\nThe judge let {judged.pass_rate:.1%} of {judged.asked:,} rewrites live{undecided}{so_far}.",
            soft_wrap=True,
        )
    if total.failed:
        failed = ", ".join(f"{name} {count:,}" for name, count in total.failed.most_common())
        console.print(harmless(f"\nFailed, by class of error: {failed}."), soft_wrap=True)
    _print_lengths(console, figures)
    if total.prompt_tokens or total.completion_tokens:
        _print_tokens(console, figures)
    if figures.paid:
        _print_paid(console, figures)


def _print_attempts(console: Console, figures: Figures) -> None:
    from evolver.cli.output import add_row, print_table, table

    total = figures.attempts.total()
    rules = sorted(total.eliminated, key=lambda rule: (-total.eliminated[rule], rule))
    titles = [_TITLES.get(rule, rule.replace("_", "\n")) for rule in rules]
    numbers = ["tried", "lived", *titles, *(["failed"] if total.failed else [])]
    made = table(["epoch", "mutator", *numbers], right=["epoch", *numbers], whole=["mutator"], narrow=True)

    def add(epoch: int | None, mutator: str, tally: Tally, style: str = "") -> None:
        deaths = [tally.eliminated[rule] for rule in rules]
        failed = [tally.failed.total()] if total.failed else []
        add_row(made, (epoch, mutator, tally.attempts, f"{tally.share:.1%}", *deaths, *failed), style)

    for epoch, of_epoch in figures.attempts.by_epoch().items():
        for (other, mutator), tally in figures.attempts.cells.items():
            if other == epoch:
                add(epoch, mutator, tally)
        add(epoch, "all", of_epoch, "bold")
        made.add_section()
    for mutator, tally in figures.attempts.by_mutator().items():
        add(None, mutator, tally)
    add(None, "all", total, "bold")
    console.print()
    print_table(made, console)


def _print_lengths(console: Console, figures: Figures) -> None:
    from evolver.cli.output import add_row, print_table, table

    numbers = ["texts", "mean", "median", "response mean", "response median"]
    made = table(["epoch", *numbers], right=["epoch", *numbers], title="\nLength in characters")
    for one in figures.lengths:
        means = (one.instruction_mean, one.instruction_median, one.response_mean, one.response_median)
        add_row(made, (one.epoch, one.rows, *(None if mean is None else round(mean) for mean in means)))
    print_table(made, console)


def _print_tokens(console: Console, figures: Figures) -> None:
    from evolver.cli.output import add_row, print_table, table

    numbers = ["prompt tokens", "completion tokens", "cost"]
    made = table(["attempts of", *numbers], right=numbers, title="\nTokens and cost")
    rows = [(f"epoch {epoch}", tally) for epoch, tally in figures.attempts.by_epoch().items()]
    for name, tally in (*rows, *figures.attempts.by_mutator().items(), ("all", figures.attempts.total())):
        add_row(made, (name, tally.prompt_tokens, tally.completion_tokens, _dollars(tally.cost_usd)))
    print_table(made, console)


def _print_paid(console: Console, figures: Figures) -> None:
    from evolver.cli.output import add_row, print_table, table

    thought = {**figures.thought, "all": sum(figures.thought.values())}
    reasoning = ["of them reasoning"] if figures.thought else []
    numbers = ["calls", "prompt tokens", "completion tokens", *reasoning, "cost"]
    made = table(["paid for", *numbers], right=numbers, title="\nCalls this run paid for itself")
    for purpose, spent in (*figures.paid_by_purpose().items(), ("all", figures.paid_in_all())):
        tokens = [spent.prompt_tokens, spent.completion_tokens]
        tokens += [thought.get(purpose, 0)] if reasoning else []
        add_row(made, (purpose, spent.calls, *tokens, _dollars(spent.cost_usd)))
    print_table(made, console)


def _dollars(cost: float | None) -> str | None:
    return None if cost is None else f"${cost:,.4f}"
