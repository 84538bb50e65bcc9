"""``evolver.merge``: what ``evolve merge`` does, for Python."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evolver.merge.dataset import merge as write_merge
from evolver.merge.guard import check_apart, check_replaceable, store_files
from evolver.merge.job import DEFAULT_THRESHOLD, Cleaning, Dedup, Kind, MergeReport, MergeSettings, Order
from evolver.merge.notes import note, noted, owner_of
from evolver.merge.push import check_push, push
from evolver.merge.recipes import recipe_outputs
from evolver.merge.sources import open_sources
from evolver.settings.choices import Format, Reasoning, Recipe
from evolver_store.connect import store_url

PathLike = str | os.PathLike[str]


def merge(
    output: PathLike = "merged.jsonl",
    *,
    stores: PathLike | Sequence[PathLike] = (),
    runs: str | Sequence[str] = (),
    oss: PathLike | Sequence[PathLike] = (),
    format: Format = "wizardcoder",
    order: Order = "shuffle",
    epochs: tuple[int, int] | None = None,
    ratio: Mapping[Kind, float] | None = None,
    limit: int | None = None,
    seed: int = 0,
    provenance: bool = False,
    reasoning: Reasoning = "none",
    dedup: Dedup = "none",
    dedup_threshold: float = DEFAULT_THRESHOLD,
    near_spare_family: bool = False,
    decontaminate: PathLike | Sequence[PathLike] = (),
    decontaminate_families: bool = False,
    rules: Sequence[str | Callable[..., Any]] = (),
    skip_rules: Sequence[str] = (),
    report: PathLike | None = None,
    recipe: Recipe | None = None,
    push_to: str | None = None,
    force: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_read: Callable[[int], None] = lambda rows: None,
) -> MergeReport:
    """Join runs and OSS-Instruct files into one dataset; no model is asked and no store is changed.

    Args:
        output: Ends in ``.jsonl``, ``.json`` or ``.parquet``; without an ending it is the folder of a Hugging Face
            dataset.
        stores: Files or URLs; none means ``evolve.db``, or no store where there are OSS-Instruct files alone.
        runs: Names; none means the newest run of each store.
        oss: Files of ``{problem, solution}`` or ``{instruction, response}`` rows.
        format: Shape of a row: ``wizardcoder``, ``alpaca``, ``text``, ``messages``, ``sharegpt`` or
            ``prompt-completion``.
        order: ``shuffle``, ``sequential`` (OSS-Instruct first) or ``epoch``.
        epochs: The first and the last generation, seeds being 0; ``None`` means all.
        ratio: Shares of ``evol`` and ``oss`` rows.
        limit: Draw so many rows, each equally likely.
        seed: Of every draw.
        provenance: Add run, id, root, epoch, mutator and source to every row.
        reasoning: Where a row has what the model thought: ``none``, ``inline`` (``<think>…</think>`` before the answer)
            or ``field`` (``reasoning_content``, in messages, prompt-completion, wizardcoder and alpaca).
        dedup: ``none``, ``exact`` or ``near``.
        dedup_threshold: Jaccard index of three-word shingles from which instructions are near, 0.1 to 1.
        near_spare_family: Rows of one lineage may be near to each other.
        decontaminate: Benchmarks whose texts no row may hold.
        decontaminate_families: Drop the descendants of contaminated rows, too.
        rules: Elimination rules that every row is held to, as :class:`evolver.Evolution` takes them.
        skip_rules: Which of them to leave out.
        report: A JSON file for the figures and each dropped row.
        recipe: ``trl``, ``axolotl`` or ``llama-factory``: write a configuration that trains on it, beside it.
        push_to: ``OWNER/NAME`` on the Hugging Face hub, for a folder (token in ``HF_TOKEN``).
        force: Replace files that another merge, a run or somebody else wrote, or that were changed since.
        on_progress: Told (rows written, rows in all) now and then.
        on_read: Told how many rows cleaning has read, as often.

    Returns:
        The account: every row of every source is in one of its counts.

    Raises:
        EvolverError: What cannot be read, written or meant; files that were there are as they were.
    """
    to, report_to = Path(output), None if report is None else Path(report)
    settings = MergeSettings(format, order, seed, epochs, limit, provenance, ratio, recipe, reasoning)
    benchmarks = _paths(decontaminate)
    cleaning = Cleaning(
        dedup,
        dedup_threshold,
        benchmarks,
        decontaminate_families,
        near_spare_family,
        tuple(rules),
        tuple(skip_rules),
    )
    files = _paths(oss)
    named = _texts(stores) or (() if files and not _texts(runs) else ("evolve.db",))
    if push_to is not None:
        check_push(push_to, to)
    # The report comes first, so that one in the folder of the dataset is seen.
    outputs = [
        *([] if report_to is None else [("--report", report_to)]),
        *(("--recipe", path) for path in recipe_outputs(recipe, to)),
        ("--output", to),
    ]
    databases = [store_url(store) for store in named]
    check_apart(
        outputs,
        [
            *(
                file
                for url in databases
                if _is_file(url)
                for file in store_files(f"the store {url.database}", url.database)
            ),
            *((f"the file {path} of --oss", path) for path in files),
            *((f"the benchmark {path}", path) for path in benchmarks),
        ],
    )
    with open_sources(named, _texts(runs), files) as sources:
        owner = owner_of(sources)
        for flag, path in outputs:
            check_replaceable(flag, path, noted(owner), force=force)
        made = write_merge(
            sources,
            to,
            settings,
            cleaning=cleaning,
            report_to=report_to,
            on_progress=on_progress,
            on_read=on_read,
        )
        note(owner, [path for _, path in outputs])
    if push_to is not None:
        push(to, push_to)
    return made


def _is_file(url: Any) -> bool:
    return bool(url.drivername.startswith("sqlite"))


def _paths(given: PathLike | Sequence[PathLike]) -> tuple[Path, ...]:
    return tuple(map(Path, _texts(given)))


def _texts(given: PathLike | Sequence[PathLike]) -> tuple[str, ...]:
    if isinstance(given, str | os.PathLike):
        return (os.fspath(given),)
    return tuple(os.fspath(one) for one in given)
