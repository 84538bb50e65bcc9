"""``evolve check``: what the models of a run answer, before it is begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from evolver.cli.command import Command
from evolver.cli.options import GroupedOption, said, setting_options
from evolver.errors import EvolverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evolver.check import Finding
    from evolver.plan import Plan


def _json_option() -> click.Parameter:
    made = GroupedOption(
        ["--json", "as_json"], is_flag=True, help="One JSON object per line, one for each purpose."
    )
    made.group = "Output"
    return made


@click.command("check", cls=Command, params=[*setting_options(), _json_option()])
def command(as_json: bool, **given: Any) -> None:
    """Ask each model once with a run's settings, and show what came back.

    The first row of the pool is evolved, judged and answered (without --pool, a made-up one); the judge sees an equal
    and an unequal pair. Takes every option of a run, writes no store, keeps nothing. Exits with 1 if a purpose cannot
    work.

    \b
    Examples:
        evolve check --model openai:gpt-4.1-mini
        evolve check --pool pool.json --model mine --base-url http://localhost:8000/v1 --json | jq .problem
    """
    from evolver.check import check, figures  # a help page needs none of it
    from evolver.cli.output import print_json, tell

    findings = asyncio.run(check(_plan(given)))
    if as_json:
        print_json(figures(one) for one in findings)
    else:
        _print(findings)
    for line in dict.fromkeys(line for one in findings for line in (*one.parameters, *one.notes)):
        tell(line)
    broken = [one for one in findings if one.problem is not None]
    for problem in dict.fromkeys(one.problem for one in broken):
        names = " and ".join(_named(one, findings) for one in broken if one.problem == problem)
        tell(f"{names} cannot work: {problem}")
    tell(_cost(findings))
    if broken:
        names = " and ".join(_named(one, findings) for one in broken)
        raise EvolverError(f"{names} cannot work, as said above.")


def _plan(given: dict[str, Any]) -> Plan:
    """Make the plan of the run that was asked for, over a row of our own where no pool was named."""
    from evolver.check import EXAMPLE
    from evolver.errors import NoPoolError
    from evolver.evolution import Evolution
    from evolver.pool import Pool
    from evolver.settings import load_settings

    options = said(given)
    try:
        return Evolution.of(load_settings(**options)).plan()
    except NoPoolError:
        evolution = Evolution.of(load_settings(**options, pool="-"))
        evolution.pool = Pool([{"instruction": EXAMPLE}])
        return evolution.plan()


def _print(findings: Sequence[Finding]) -> None:
    """Print a line for each thing that is known, a column for each purpose."""
    from evolver.cli.output import add_row, print_table, table

    made = table(["", *(one.purpose for one in findings)])
    lines: dict[str, list[object]] = {
        "model": [one.model for one in findings],
        "address": [one.address or "in this process" for one in findings],
        "answered by": [one.answered_by for one in findings],
        "works": ["yes" if one.problem is None else "NO" for one in findings],
        "verdict, equal pair": [one.verdicts.get("equal") for one in findings],
        "verdict, unequal": [one.verdicts.get("unequal") for one in findings],
        "ended by": [one.finish_reason for one in findings],
        "reasoning": [_reasoning(one) for one in findings],
        "max tokens": [one.max_tokens for one in findings],
        "adapted": [len(one.parameters) or None for one in findings],
        "tokens": [_tokens(one) for one in findings],
        "cost": [_dollars(one) for one in findings],
        "seconds": [f"{one.seconds:.1f}" for one in findings],
    }
    for name, values in lines.items():
        if any(value is not None for value in values):
            add_row(made, (name, *values))
    print_table(made)


def _named(one: Finding, among: Sequence[Finding]) -> str:
    """Name what was checked, with its address where the purpose has several."""
    several = sum(other.purpose == one.purpose for other in among) > 1
    return f"{one.purpose} at {one.address}" if several else one.purpose


def _reasoning(one: Finding) -> str | None:
    if one.finish_reason is None:
        return None
    where = {"field": "in a field", "text": "in the text", "hidden": "hidden"}.get(
        one.reasoning or "", "none"
    )
    return f"{where}, {one.reasoning_tokens:,} tokens" if one.reasoning_tokens else where


def _tokens(one: Finding) -> str | None:
    if not one.calls:
        return None
    return f"{one.prompt_tokens:,} + {one.completion_tokens:,}" + ("" if one.counted else " (estimated)")


def _dollars(one: Finding) -> str | None:
    if not one.calls:
        return None
    return "no price known" if one.cost_usd is None else f"${one.cost_usd:.6f}"


def _cost(findings: Sequence[Finding]) -> str:
    calls = sum(one.calls for one in findings)
    known = [one.cost_usd for one in findings if one.cost_usd is not None]
    unknown = sorted({one.model for one in findings if one.calls and one.cost_usd is None})
    paid = f", ${sum(known):.6f}" if known else ""
    told = f"{calls} {'call' if calls == 1 else 'calls'} answered{paid}; nothing is kept."
    if any(not one.counted for one in findings):
        told += " The server counts no tokens; they are estimated, and so is what --max-cost counts."
    return f"{told} No price is known for {' and '.join(unknown)}." if unknown else told
