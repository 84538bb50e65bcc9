"""Find the sources that a user names: runs by name in some stores, and OSS-Instruct files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import URL, Engine

from evolver.errors import RunMissingError, SettingsError
from evolver.merge.job import OssSource, RunSource, Source
from evolver_store.connect import reading, shown, store_url
from evolver_store.errors import StoreError
from evolver_store.runs import Run, find_run, get_run


@contextmanager
def open_sources(stores: Sequence[str], names: Sequence[str], oss: Sequence[Path]) -> Iterator[list[Source]]:
    """Open the stores for reading and find the runs; OSS-Instruct files come first, as a training goes through them.

    Args:
        stores: Files or URLs.
        names: Runs; each store gives those it holds. None means the newest run of each store.
        oss: Files, opened later.

    Raises:
        StoreError: A store cannot be read, or a run's pool is not stored whole.
        RunMissingError: A run is in none of the stores, or a store holds none of the runs.
        SettingsError: A store or run is named twice.
    """
    urls = [store_url(store) for store in stores]
    for kind, named in (("store", [shown(url) for url in urls]), ("run", list(names))):
        twice = next((name for place, name in enumerate(named) if name in named[:place]), None)
        if twice is not None:
            raise SettingsError(f"the {kind} {twice} is named twice; nothing was written. Name it once.")
    with ExitStack() as stack:
        found = [_runs(stack.enter_context(reading(url)), shown(url), names) for url in urls]
        runs = [run for of_store in found for run in of_store]
        missing = [name for name in names if name not in {run.run_name for run in runs}]
        if missing:
            raise RunMissingError(
                f"no run is named {missing[0]!r} in {', '.join(map(shown, urls))}; nothing was written. "
                "'evolve runs' lists them."
            )
        yield [*(OssSource(path) for path in oss), *_told_apart(urls, found)]


def _told_apart(urls: Sequence[URL], found: Sequence[Sequence[RunSource]]) -> Iterator[RunSource]:
    """Put its store before the name of a run that another store has as well: a row's run and id are then its alone."""
    times = Counter(run.run_name for of_store in found for run in of_store)
    for url, of_store in zip(urls, found, strict=True):
        for run in of_store:
            shared = times[run.run_name] > 1
            yield replace(run, run_name=f"{shown(url)}:{run.run_name}") if shared else run


def _runs(engine: Engine, store: str, names: Sequence[str]) -> list[RunSource]:
    with engine.connect() as conn:
        if not names:
            found = [get_run(conn, None, store)]
        else:
            found = [run for name in names if (run := find_run(conn, name)) is not None]
        if not found:
            get_run(conn, names[0], store)  # names the runs there are
    for run in found:
        _check_whole(run, store)
    return [RunSource(engine, run.id, run.name) for run in found]


def _check_whole(run: Run, store: str) -> None:
    if run.kind == "evolve" and run.seeds is None:
        raise StoreError(
            f"the pool of the run {run.name!r} in {store} is not stored whole, so its dataset would lack seeds; "
            "nothing was written. Wait for the run, or give its command once more if it was interrupted: it goes on."
        )
