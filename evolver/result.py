"""What a run comes to: its dataset written, its figures read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from evolver import html
from evolver.facts.spending import paid_by
from evolver.lineage import Lineage, Rows
from evolver.merge.dataset import merge
from evolver.merge.guard import WRITTEN, digest_of, place_of
from evolver.merge.job import MergeReport, MergeSettings, RunSource
from evolver.pool import PoolReport
from evolver.report.session import SessionCount, SessionFigures
from evolver.report.summary import RunStats, run_stats
from evolver.settings import Settings
from evolver_store.connect import open_for_writing, reading, shown, store_url
from evolver_store.runs import Run, get_run, update_run

if TYPE_CHECKING:
    import datasets
    import networkx
    import pandas


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run.

    ``pool`` tells what was read and skipped, ``None`` where an earlier session read the pool. ``dataset`` is
    ``None`` where no output was asked for. ``stats`` are of the whole run; ``session`` tells what this session paid for
    and what it was served from the cache.
    """

    run: str
    store: str = field(repr=False)  # it may hold a password
    stats: RunStats
    dataset: MergeReport | None
    pool: PoolReport | None
    session: SessionFigures = field(default_factory=SessionFigures)

    def graph(self) -> networkx.DiGraph[int]:
        """Return the whole lineage: a node per row of ``instructions``, an edge from parent to child."""
        return Lineage(self.store).graph(self.run)

    def rows(self, *, dead: bool = False) -> Rows:
        """Return the seeds and survivors, by id; with ``dead`` all attempts.

        All texts of the run are held in memory.
        """
        return Lineage(self.store).rows(self.run, dead=dead)

    def to_pandas(self, *, dead: bool = False) -> pandas.DataFrame:
        """Return what :meth:`rows` does as a DataFrame; ids are ``Int64``.

        Raises:
            EvolverError: pandas is not installed.
        """
        return self.rows(dead=dead).to_pandas()

    def to_dataset(self, *, dead: bool = False) -> datasets.Dataset:
        """Return what :meth:`rows` does as a ``datasets.Dataset``.

        Raises:
            EvolverError: datasets is not installed.
        """
        return self.rows(dead=dead).to_dataset()

    def _repr_html_(self) -> str:
        """Show the figures as a table in a notebook."""
        stats = self.stats
        rules = [*stats.eliminated]
        whole = [
            (
                one.epoch,
                one.attempts,
                one.survivors,
                *(one.eliminated.get(rule, 0) for rule in rules),
                one.failed,
            )
            for one in stats.epochs
        ]
        sums = (stats.attempts, stats.survivors, *stats.eliminated.values(), stats.failed)
        head = ("epoch", "attempts", "survivors", *rules, "failed")
        title = f"Run {self.run}: {stats.seeds:,} seeds"
        return html.table(head, [*whole, ("all", *sums)], title=title) + "".join(
            map(html.paragraph, self._in_words())
        )

    def _in_words(self) -> Iterator[str]:
        """Say what was paid, and where the rows and the lineage are."""
        if self.stats.calls:
            cost = "a price nobody knows" if self.stats.cost_usd is None else f"${self.stats.cost_usd:,.2f}"
            yield f"Paid {self.stats.calls:,} calls, {cost}."
        if self.pool is not None and self.pool.skipped:
            yield f"Skipped of the pool: {self.pool.skipped_in_words()}."
        if self.dataset is not None:
            yield f"Dataset {self.dataset.output}: {self.dataset.rows:,} rows."
        yield f"Lineage {shown(store_url(self.store))}."


def conclude(
    run: Run,
    pool: PoolReport | None,
    settings: Settings,
    count: SessionCount,
    on_progress: Callable[[int, int], None],
) -> Result:
    """Merge all generations if an output was asked for, and read the figures.

    Args:
        run: As the store has it.
        pool: What was read and skipped, if the pool was read now.
        settings: Of the run.
        count: What the session was served from the cache.
        on_progress: Told (rows written, rows in all); what it raises ends the merge and leaves no file.

    Raises:
        OutputError: The dataset cannot be written.
        StoreError: The store cannot be read.
    """
    with reading(settings.store) as engine:
        dataset = None
        if settings.output is not None:
            source = RunSource(engine, run.id, run.name)
            how = MergeSettings(
                format=settings.format,
                seed=settings.seed,
                epochs=(0, settings.epochs),
                recipe=settings.recipe,
                reasoning=settings.reasoning,
            )
            dataset = merge([source], Path(settings.output), how, on_progress=on_progress)
            _remember(settings.store, run, [dataset.output, *dataset.recipe])
        with engine.connect() as conn:
            stats = run_stats(conn, run.id, run.seeds or 0)
            session = count.figures(paid_by(conn, run.id))
    return Result(run.name, settings.store, stats, dataset, pool, session)


def _remember(store: str, run: Run, outputs: Sequence[Path]) -> None:
    """Keep what was written in the run's row, so that the same run may replace it, and no other."""
    engine = open_for_writing(store)
    try:
        with engine.connect() as conn:
            settings = get_run(conn, run.name, store).settings
        now = {place_of(output): digest_of(output) for output in outputs}
        written = {**settings.get(WRITTEN, {}), **now}
        update_run(engine, run.id, settings={**settings, WRITTEN: written})
    finally:
        engine.dispose()
