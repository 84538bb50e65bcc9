"""What is looked at before anything is spent or written."""

from __future__ import annotations

from pathlib import Path

from evolver.errors import SettingsError
from evolver.merge.formats import check_reasoning
from evolver.merge.guard import WRITTEN, check_apart, check_replaceable, is_empty, store_files
from evolver.merge.output import check_file, check_output
from evolver.merge.recipes import check_recipe, recipe_outputs
from evolver.settings import Settings
from evolver_store.connect import reading, store_url
from evolver_store.runs import find_run


def check_files(settings: Settings) -> None:
    """Refuse an output that cannot be written, or that would replace the pool, the store or what lies beside it.

    Raises:
        OutputError: It cannot be written.
        SettingsError: It is one of these, or its format has no place for reasoning that is asked for.
        StoreError: The store's address is none.
    """
    if settings.output is None:
        if settings.recipe is not None:
            raise SettingsError(
                "a recipe is written beside a dataset; nothing was started. Name it with --output."
            )
        return
    output = Path(settings.output)
    check_recipe(settings.recipe, settings.format)
    check_output(output)
    check_reasoning(settings.format, settings.reasoning)
    beside = recipe_outputs(settings.recipe, output)
    for path in beside:
        check_file(path)
    url = store_url(settings.store)
    inputs = [("the file of --pool", Path(settings.pool))]
    if url.drivername.startswith("sqlite"):
        inputs += store_files("the file of --store", url.database)
    check_apart([*(("--recipe", path) for path in beside), ("--output", output)], inputs)


def check_not_lost(settings: Settings, run: str) -> None:
    """Refuse to replace an output that this run did not write, or that was changed since; ``force`` allows it.

    Raises:
        OutputError: It would be lost.
        StoreError: The store cannot be read.
    """
    if settings.output is None or settings.force:
        return
    output = Path(settings.output)
    beside = recipe_outputs(settings.recipe, output)
    if all(map(is_empty, (output, *beside))):
        return
    url = store_url(settings.store)
    written: dict[str, str] = {}
    if url.database is None or not url.drivername.startswith("sqlite") or Path(url.database).exists():
        with reading(url) as engine, engine.connect() as conn:
            found = find_run(conn, run)
            written = {} if found is None else dict(found.settings.get(WRITTEN, {}))
    check_replaceable("--output", output, written, force=False)
    for path in beside:
        check_replaceable("--recipe", path, written, force=False)
