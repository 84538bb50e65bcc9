"""``evolve merge``: runs and OSS-Instruct files as one dataset, cleaned, drawn and ordered."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evolver.cli.options import DEFAULT_STORE, completing, default_store
from evolver.cli.output import print_json, tell
from evolver.settings.choices import DEFAULT_FORMAT, FORMATS, REASONINGS, RECIPES

if TYPE_CHECKING:
    from types import FrameType

    from evolver.merge.job import Kind, MergeReport

_FILE = click.Path(path_type=Path)


@click.command("merge")
@click.option(
    "--store",
    "stores",
    metavar="URL",
    multiple=True,
    help="A file or postgresql://…; may be given again.  [default: evolve.db]",
)
@click.option(
    "--run",
    "runs",
    metavar="NAME",
    shell_complete=completing("runs"),
    multiple=True,
    help="A run; may be given again.  [default: each store's newest]",
)
@click.option(
    "--oss",
    metavar="FILE",
    multiple=True,
    type=_FILE,
    help="OSS-Instruct rows, {problem, solution} or {instruction, response}; may be given again.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=_FILE,
    default=Path("merged.jsonl"),
    show_default=True,
    help="Dataset: .jsonl, .json or .parquet; without an ending, the folder of a Hugging Face dataset.",
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default=DEFAULT_FORMAT,
    show_default=True,
    help="Shape of its rows.",
)
@click.option(
    "--order",
    type=click.Choice(("shuffle", "sequential", "epoch")),
    default="shuffle",
    show_default=True,
    help="sequential: OSS-Instruct first, then run after run.",
)
@click.option(
    "--epochs", metavar="A-B", help="Only these generations, both ends included; seeds are 0.  [default: all]"
)
@click.option("--ratio", metavar="LIST", help="Shares of evolved and OSS-Instruct rows: evol=0.6,oss=0.4.")
@click.option("--limit", type=int, metavar="N", help="Draw N rows, each equally likely.")
@click.option("--seed", type=int, metavar="N", default=0, show_default=True, help="Seed of every draw.")
@click.option("--provenance", is_flag=True, help="Add run, id, root, epoch, mutator and source to every row.")
@click.option(
    "--reasoning",
    type=click.Choice(REASONINGS),
    default="none",
    show_default=True,
    help="What the model thought: in <think> before the answer, or in a field.",
)
@click.option(
    "--dedup",
    type=click.Choice(("none", "exact", "near")),
    default="none",
    show_default=True,
    help="Drop equal, or nearly equal, instructions; the earliest generation stays.",
)
@click.option(
    "--dedup-threshold",
    "threshold",
    type=float,
    metavar="X",
    default=0.9,
    show_default=True,
    help="Jaccard index of three-word shingles from which instructions are near.",
)
@click.option(
    "--near-spare-family",
    "spare_family",
    is_flag=True,
    help="With --dedup near: rows of one lineage, such as parent and child, may be near to each other.",
)
@click.option(
    "--decontaminate",
    metavar="FILE",
    multiple=True,
    type=_FILE,
    help="A benchmark (HumanEval, MBPP, or any pool) whose texts no row may hold; may be given again.",
)
@click.option(
    "--decontaminate-families",
    "families",
    is_flag=True,
    help="Drop the descendants of contaminated rows, too.",
)
@click.option(
    "--rules",
    metavar="LIST",
    help="Drop what these elimination rules drop: names, default, all, file.py:Name.  [default: none]",
)
@click.option("--skip-rules", metavar="LIST", help="With --rules: leave these out.")
@click.option(
    "--report",
    "report_to",
    metavar="FILE",
    type=_FILE,
    help="Write the figures and each dropped row as JSON.",
)
@click.option(
    "--recipe",
    type=click.Choice(RECIPES),
    help="Write a configuration that trains on the dataset, beside it.",
)
@click.option(
    "--push", "repo", metavar="OWNER/NAME", help="Upload the folder to the Hugging Face hub (HF_TOKEN)."
)
@click.option("--force", is_flag=True, help="Replace files that something else wrote, or that were changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object on stdout.")
@click.option("--quiet", is_flag=True, help="Errors only.")
def command(*, as_json: bool, quiet: bool, output: Path, repo: str | None, **given: Any) -> None:
    """Join runs and OSS-Instruct files into one dataset.

    Rows without a response are left out. Whatever is left out, dropped or skipped is counted.

    \b
    Examples:
        evolve merge --output train.jsonl
        evolve merge --dedup near --decontaminate HumanEval.jsonl --report dropped.json
        evolve merge --oss magicoder.jsonl --order sequential --format messages --output dataset
    """
    report = _merge(output, repo, quiet=quiet, **given)
    if not quiet:
        _say(report, given["report_to"])
    if repo is not None:
        tell(f"Pushed to {repo}.")
    if as_json:
        from evolver.merge.findings import figures

        print_json([figures(report)])


def _merge(output: Path, repo: str | None, *, quiet: bool, **given: Any) -> MergeReport:
    """Merge what is named; an interrupt and SIGTERM leave no partial file."""
    from evolver.errors import StoppedError
    from evolver.merge.public import merge

    options = _options(**given)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _progress(quiet) as (read, written):
            return merge(output, push_to=repo, on_progress=written, on_read=read, **options)
    except KeyboardInterrupt as error:
        raise StoppedError(
            "the merge was interrupted; no dataset was written, and an older one is as it was. Start it again."
        ) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def _options(
    *,
    stores: tuple[str, ...],
    runs: tuple[str, ...],
    oss: tuple[Path, ...],
    epochs: str | None,
    ratio: str | None,
    threshold: float,
    families: bool,
    spare_family: bool,
    rules: str | None,
    skip_rules: str | None,
    report_to: Path | None,
    **given: Any,
) -> dict[str, Any]:
    """Turn what click read into what :func:`evolver.merge.public.merge` takes."""
    return given | {
        "stores": _stores(stores, runs, oss),
        "runs": runs,
        "oss": oss,
        "epochs": _epochs(epochs),
        "ratio": _ratio(ratio),
        "dedup_threshold": threshold,
        "decontaminate_families": families,
        "near_spare_family": spare_family,
        "rules": _names(rules),
        "skip_rules": _names(skip_rules),
        "report": report_to,
    }


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _epochs(text: str | None) -> tuple[int, int] | None:
    """Read ``0-3`` or ``2``."""
    if text is None:
        return None
    first, dash, last = (part.strip() for part in text.partition("-"))
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise click.BadParameter(f"{text!r} is no range of epochs; write 0-3 or 2.", param_hint="--epochs")
    return int(first), int(last if dash else first)


def _ratio(text: str | None) -> dict[Kind, float] | None:
    """Read ``evol=0.6,oss=0.4``."""
    if text is None:
        return None
    shares: dict[Any, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError as error:
            raise click.BadParameter(
                f"{text!r} is no ratio; write evol=0.6,oss=0.4.", param_hint="--ratio"
            ) from error
    return shares


def _stores(named: tuple[str, ...], runs: tuple[str, ...], oss: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the stores to read: those named, or the default one, which OSS-Instruct alone can do without."""
    if named:
        return named
    default = os.environ.get("EVOLVE_STORE") or default_store()
    if oss and not runs and default == DEFAULT_STORE and not Path(default).exists():
        return ()
    return (default,)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _progress(quiet: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int, int], None]]]:
    """Show on a terminal how far reading and writing are."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from evolver.cli.terminal import stderr_console

    console = stderr_console()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=quiet or not console.is_terminal
    ) as shown:
        reading = shown.add_task("Checking rows", total=None, visible=False)
        writing = shown.add_task("Writing rows", total=None, visible=False)
        yield (
            lambda rows: shown.update(reading, completed=rows, visible=True),
            lambda done, total: shown.update(writing, completed=done, total=total, visible=True),
        )


def _say_sources(report: MergeReport) -> None:
    """Name the runs that were merged, and what a reader should know of them."""
    for run in report.runs:
        tell(f"  from the run {run.name} ({run.model}, {run.status})")
        if run.status != "finished":
            tell(f"  Note: {run.name} is {run.status}: rows of it are still to come.")
        if run.offline:
            tell(
                f"  Note: {run.name} was made by the embedded model, which shows the pipeline and is no training data."
            )
    if not report.runs:
        tell("  No run joined: OSS-Instruct files alone. Name a store or a run to join it.")


def _say(report: MergeReport, report_to: Path | None) -> None:
    """Print the account on stderr: every row is in one line of it."""
    parts = [f"{report.seeds:,} seeds", f"{report.survivors:,} survivors"]
    if report.oss:
        parts.append(f"{report.oss:,} OSS-Instruct")
    tell(f"Dataset {report.output}: {report.rows:,} rows ({' + '.join(parts)}).")
    _say_sources(report)
    without = report.seeds_without_response + report.survivors_without_response + report.oss_without_response
    dropped = {f"dropped, {reason.replace('_', ' ')}": count for reason, count in report.dropped.items()}
    skipped = {
        f"skipped in OSS-Instruct files, {reason}": count for reason, count in report.oss_skipped.items()
    }
    counts = {
        "left out, without a response": without,
        **skipped,
        **dropped,
        "left out by --limit or --ratio": report.not_drawn,
        "kept, with a contaminated ancestor (--decontaminate-families drops them)": report.flagged,
    }
    for what, count in counts.items():
        if count:
            tell(f"  {count:>9,} {what}")
    for path in report.recipe:
        tell(f"Configuration {path}.")
    if report_to is not None:
        tell(f"Report {report_to}: each dropped row, and why.")
