"""From the lineage to a dataset: collect ids, order them, fetch texts in slices, write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from evolver.errors import OutputError, SettingsError, StoreError
from evolver.merge.collect import MAX_SOURCES, Collected, epoch_of
from evolver.merge.formats import Row, record_maker, sample_record
from evolver.merge.job import MergeReport, MergeSettings, RunSource
from evolver.merge.order import in_order
from evolver.merge.output import check_output, container_for, replacing
from evolver.merge.texts import slices_of_rows

Progress = Callable[[int, int], None]


def merge(
    sources: Sequence[RunSource],
    output: Path,
    settings: MergeSettings,
    *,
    on_progress: Progress = lambda done, total: None,
) -> MergeReport:
    """Write the seeds and survivors of one or more runs as one dataset.

    Memory grows by some bytes a row, not by the texts. Equal rows and settings give an equal file, byte for byte.

    Args:
        sources: Runs of stores opened for reading; their order counts for every ``settings.order``.
        output: A file name that ends in ``.jsonl``, ``.json`` or ``.parquet``; what is there is replaced.
        settings: Which rows, in which order and shape.
        on_progress: Told (rows written, rows in all) after every few thousand rows.

    Raises:
        OutputError: The file cannot be written, or there is no row to write. An older file is untouched.
        StoreError: A store cannot be read.
        SettingsError: No source, or one twice.
    """
    check_output(output)
    _check_sources(sources)
    with _stated_store_errors(), ExitStack() as stack:
        opened = {
            engine: stack.enter_context(engine.connect())
            for engine in dict.fromkeys(source.engine for source in sources)
        }
        connections = [opened[source.engine] for source in sources]
        collected = _collect(sources, connections, settings)
        keys = in_order(collected.keys, settings)
        slices = slices_of_rows(connections, [source.run_name for source in sources], keys)
        _write(slices, output, settings, lambda done: on_progress(done, len(keys)))
    by_epoch = Counter(map(epoch_of, keys))
    return MergeReport(
        output=output,
        rows=len(keys),
        seeds=by_epoch[0],
        survivors=len(keys) - by_epoch[0],
        seeds_without_response=collected.seeds_without_response,
        survivors_without_response=collected.survivors_without_response,
        by_epoch=dict(sorted(by_epoch.items())),
        size=output.stat().st_size,
    )


def _collect(
    sources: Sequence[RunSource], connections: Sequence[Connection], settings: MergeSettings
) -> Collected:
    collected = Collected()
    for index, (source, conn) in enumerate(zip(sources, connections, strict=True)):
        collected.collect(conn, index, source.run_id, settings.epochs)
    if not collected.keys:
        names = ", ".join(source.run_name for source in sources)
        within = "" if settings.epochs is None else f" in epochs {settings.epochs[0]} to {settings.epochs[1]}"
        raise OutputError(
            f"{names}: no row to write{within}; nothing was written. Left out for lack of a response: "
            f"{collected.seeds_without_response} seeds, {collected.survivors_without_response} survivors."
        )
    return collected


def _write(
    slices: Iterable[list[Row]], output: Path, settings: MergeSettings, on_written: Callable[[int], None]
) -> None:
    make = record_maker(settings.format, provenance=settings.provenance)
    container = container_for(output)
    done = 0
    with replacing(output) as file, container(file, sample_record(make)) as write:
        for rows in slices:
            write([make(position, row) for position, row in enumerate(rows, done)])
            done += len(rows)
            on_written(done)


def _check_sources(sources: Sequence[RunSource]) -> None:
    if not 0 < len(sources) <= MAX_SOURCES:
        raise SettingsError(
            f"a dataset is made of 1 to {MAX_SOURCES} runs, not {len(sources)}; nothing was written."
        )
    seen = set()
    for source in sources:
        if (source.engine, source.run_id) in seen:
            raise SettingsError(
                f"the run {source.run_name!r} is named twice; nothing was written. Name it once."
            )
        seen.add((source.engine, source.run_id))


@contextmanager
def _stated_store_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(
            f"the store cannot be read ({cause}); no dataset was written. Look at it with 'evolve sql'."
        ) from error
