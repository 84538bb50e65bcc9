"""From the lineage to a dataset: collect ids, clean, draw and order them, fetch texts in slices, write."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from evolver.elimination.rules import load_rules
from evolver.errors import OutputError
from evolver.merge.benchmarks import read_benchmarks
from evolver.merge.card import card
from evolver.merge.clean import Cleaned, Cleaner
from evolver.merge.collect import Collected, collect, epoch_of, split_key
from evolver.merge.findings import write_findings
from evolver.merge.formats import record_maker, sample_record
from evolver.merge.job import Cleaning, MergedRun, MergeReport, MergeSettings, Source
from evolver.merge.order import in_order, in_ratio
from evolver.merge.oss import OssReader
from evolver.merge.output import check_file, check_output, open_dataset, replacing, size_of
from evolver.merge.reader import Reader
from evolver.merge.readers import check_sources, open_readers
from evolver.merge.recipes import recipe_outputs, recipe_texts
from evolver.merge.runs import RunReader
from evolver.merge.texts import slices_of_rows

Progress = Callable[[int, int], None]


def merge(
    sources: Sequence[Source],
    output: Path,
    settings: MergeSettings,
    *,
    cleaning: Cleaning = Cleaning(),  # noqa: B008 - frozen
    report_to: Path | None = None,
    on_progress: Progress = lambda done, total: None,
    on_read: Callable[[int], None] = lambda rows: None,
) -> MergeReport:
    """Write runs and OSS-Instruct files as one dataset.

    Memory grows by some bytes a row, not by the texts; near-duplicates take about a kilobyte a row. Equal rows and
    settings give an equal file, byte for byte.

    Args:
        sources: Runs of stores opened for reading, and files; their order counts for every ``settings.order``.
        output: A file name that ends in ``.jsonl``, ``.json`` or ``.parquet``, or a name without an ending: the
            folder of a Hugging Face dataset. What is there is replaced.
        settings: Which rows, in which order and shape.
        cleaning: What is taken out before.
        report_to: A JSON file for the figures and each dropped row with its reason, item, method and score.
        on_progress: Told (rows written, rows in all) after every few thousand rows.
        on_read: Told how many rows cleaning has read, as often.

    Raises:
        OutputError: A file cannot be written, or there is no row to write. An older one is untouched.
        StoreError: A store cannot be read.
        PoolError: An OSS-Instruct file or a benchmark cannot be read.
        SettingsError: No source, one twice, or a ratio that does not fit them.
    """
    check_output(output)
    for beside in recipe_outputs(settings.recipe, output):
        check_file(beside)
    if report_to is not None:
        check_file(report_to)
    check_sources(sources)
    contamination = None
    if cleaning.decontaminate:
        from evolver.merge.contamination import Contamination  # brings numpy

        contamination = Contamination(read_benchmarks(cleaning.decontaminate))
    rules = load_rules(cleaning.rules, skip=cleaning.skip_rules) if cleaning.rules else None
    cleaner = Cleaner(
        cleaning.dedup, cleaning.threshold, contamination, cleaning.families, cleaning.spare_family, rules
    )
    with open_readers(sources, reasoning=settings.reasoning != "none") as readers:
        collected = collect(readers, settings.epochs)
        cleaned = cleaner.clean(readers, collected.keys, on_read)
        keys = in_order(in_ratio(cleaned.keys, [reader.kind for reader in readers], settings), settings)
        report = _report(output, readers, settings, collected, cleaned, keys)
        if not keys:
            raise OutputError(_nothing(readers, settings, report))
        _write(
            readers, keys, output, settings, lambda: card(readers, report, settings, cleaning), on_progress
        )
        report = replace(report, size=size_of(output))
        for beside, text in recipe_texts(settings.recipe, output, settings.format).items():
            with replacing(beside) as file:
                file.write(text.encode("utf-8", "surrogatepass"))
        if report_to is not None:
            write_findings(report_to, report, settings, cleaning, cleaned, readers)
    return report


def _write(
    readers: Sequence[Reader],
    keys: array[int],
    output: Path,
    settings: MergeSettings,
    make_card: Callable[[], str],
    on_progress: Progress,
) -> None:
    make = record_maker(settings.format, provenance=settings.provenance, reasoning=settings.reasoning)
    done = 0
    with open_dataset(output, sample_record(make), len(keys), make_card) as write:
        for rows in slices_of_rows(readers, keys, columns=settings.provenance):
            write([make(position, row) for position, row in enumerate(rows, done)])
            done += len(rows)
            on_progress(done, len(keys))


def _report(
    output: Path,
    readers: Sequence[Reader],
    settings: MergeSettings,
    collected: Collected,
    cleaned: Cleaned,
    keys: array[int],
) -> MergeReport:
    """Count everything but the size, which is not known yet."""
    oss = [reader for reader in readers if isinstance(reader, OssReader)]
    places = {place for place, reader in enumerate(readers) if reader.kind == "oss"}
    by_epoch = Counter(epoch_of(key) for key in keys if split_key(key)[0] not in places)
    lineage = by_epoch.total()
    chosen = set(keys) if cleaned.flagged else set()
    return MergeReport(
        output=output,
        rows=len(keys),
        seeds=by_epoch[0],
        survivors=lineage - by_epoch[0],
        seeds_without_response=collected.seeds_without_response,
        survivors_without_response=collected.survivors_without_response,
        by_epoch=dict(sorted(by_epoch.items())),
        size=0,
        oss=len(keys) - lineage,
        oss_without_response=sum(reader.without_response for reader in oss),
        oss_skipped=dict(sum((reader.report.skipped for reader in oss), Counter[str]())),
        dropped=cleaned.counts(),
        flagged=sum(one.key in chosen for one in cleaned.flagged),
        not_drawn=len(cleaned.keys) - len(keys),
        recipe=recipe_outputs(settings.recipe, output),
        runs=tuple(_merged_run(reader) for reader in readers if isinstance(reader, RunReader)),
    )


def _merged_run(reader: RunReader) -> MergedRun:
    run = reader.about()
    told = run["settings"].get("shape", {}).get("models", {})
    models = [str(run["model"] or ""), *(str(one[0]) for one in told.values())]
    return MergedRun(reader.name, models[0], run["status"], any(map(_is_embedded, models)))


def _is_embedded(model: str) -> bool:
    return model.partition("/")[0].partition(":")[0] == "offline"


def _nothing(readers: Sequence[Reader], settings: MergeSettings, report: MergeReport) -> str:
    """Say why there is no row to write."""
    names = ", ".join(reader.name for reader in readers)
    within = "" if settings.epochs is None else f" in epochs {settings.epochs[0]} to {settings.epochs[1]}"
    dropped = f" Dropped by cleaning: {sum(report.dropped.values())}." if report.dropped else ""
    return (
        f"{names}: no row to write{within}; nothing was written. Left out for lack of a response: "
        f"{report.seeds_without_response} seeds, {report.survivors_without_response} survivors.{dropped}"
    )
