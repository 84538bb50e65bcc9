"""Open the sources of a merge, and say in one sentence what of them cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from sqlalchemy.exc import SQLAlchemyError

from evolver.errors import OutputError, SettingsError, StoreError
from evolver.merge.collect import MAX_SOURCES
from evolver.merge.job import OssSource, RunSource, Source
from evolver.merge.oss import OssReader
from evolver.merge.reader import Reader
from evolver.merge.runs import RunReader


def check_sources(sources: Sequence[Source]) -> None:
    """Refuse no source, too many of them, or one twice.

    Raises:
        SettingsError: It is so.
    """
    if not 0 < len(sources) <= MAX_SOURCES:
        raise SettingsError(
            f"a dataset is made of 1 to {MAX_SOURCES} runs and files, not {len(sources)}; nothing was written."
        )
    seen: set[tuple[object, int]] = set()
    for source in sources:
        place: tuple[object, int]
        if isinstance(source, RunSource):
            place, name = (source.engine, source.run_id), f"the run {source.run_name!r}"
        else:
            place, name = (source.path.resolve(), 0), f"the file {source.path}"
        if place in seen:
            raise SettingsError(f"{name} is named twice; nothing was written. Name it once.")
        seen.add(place)


@contextmanager
def open_readers(sources: Sequence[Source], *, reasoning: bool = False) -> Iterator[list[Reader]]:
    """Open every source; one connection serves all runs of a store. ``reasoning`` reads what the model thought, too.

    Raises:
        StoreError: A store cannot be read, now or inside the block.
        PoolError: A file cannot be read.
        OutputError: There is no room for what is kept of a file meanwhile.
    """
    with _stated_store_errors(), ExitStack() as stack:
        engines = dict.fromkeys(source.engine for source in sources if isinstance(source, RunSource))
        opened = {engine: stack.enter_context(engine.connect()) for engine in engines}
        readers: list[Reader] = []
        for source in sources:
            if isinstance(source, RunSource):
                readers.append(
                    RunReader(opened[source.engine], source.run_id, source.run_name, reasoning=reasoning)
                )
            else:
                readers.append(stack.enter_context(closing(_oss_reader(source))))
        yield readers


def _oss_reader(source: OssSource) -> OssReader:
    try:
        return OssReader(source.path)
    except OSError as error:
        raise OutputError(
            f"the rows of {source.path} cannot be kept in a temporary file ({error.strerror or error}); nothing was "
            "written. Make room there, or name another folder in TMPDIR."
        ) from error


@contextmanager
def _stated_store_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(
            f"the store cannot be read ({cause}); no dataset was written. Look at it with 'evolve sql'."
        ) from error
