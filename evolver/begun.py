"""Under which of its addresses a model is known to a run that was begun: the order they are given in is no matter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose
from evolver.settings import Settings
from evolver_store.connect import reading
from evolver_store.errors import NotAStoreError, StoreMissingError
from evolver_store.runs import Run, find_run, list_runs

Who = Mapping[Purpose, ModelIdentity]


def as_begun(settings: Settings, who: Who, shape: Callable[[Who], Mapping[str, Any]]) -> Who:
    """Put that address of each model first under which a run of the store was begun, if this is how it goes on.

    The first address is a model's own: the keys of its calls and the run's name rest on it. So more servers may join a
    run, in any order, as long as the one it was begun with is among them, even if nobody answers there any more.

    Args:
        settings: Of the run; ``store`` is where to look, and ``run`` names the only run that counts.
        who: The models, with their addresses as they were given.
        shape: Says what decides the rows of a run that asks these.

    Raises:
        StoreError: There is a store, and it cannot be read.
    """
    if not any(one.also for one in who.values()):
        return who
    with suppress(StoreMissingError, NotAStoreError):  # a run makes the store, or says why it cannot
        for run in _runs(settings):
            stored = run.settings.get("shape", {})
            moved = _moved(who, stored.get("models", {}))
            if moved is not None and (settings.run or json.loads(json.dumps(shape(moved))) == stored):
                return moved
    return who


def _runs(settings: Settings) -> Iterator[Run]:
    """Yield the runs that this may be, newest first."""
    with reading(settings.store) as engine, engine.connect() as conn:
        if settings.run is None:
            found = list_runs(conn)[::-1]
        else:
            named = find_run(conn, settings.run)
            found = [] if named is None else [named]
    yield from found


def _moved(who: Who, models: Mapping[str, Any]) -> Who | None:
    """Return the models with the stored addresses first; ``None`` where one of them is asked elsewhere."""
    moved: dict[Purpose, ModelIdentity] = {}
    for purpose, one in who.items():
        _, url, *_ = models.get(purpose) or (None, None)
        if url not in one.addresses:
            return None
        others = tuple(str(each) for each in one.addresses if each != url)
        moved[purpose] = replace(one, base_url=url, also=others)
    return moved
