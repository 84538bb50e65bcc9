"""Turn a run that asks live into one that asks in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from evolver.calls.batch.batcher import Batcher, BatchOptions
from evolver.calls.ledger import Ledger
from evolver.errors import SettingsError, UnknownBatchError
from evolver.events import Listener, Notice
from evolver.models.batch.protocol import Batchable
from evolver.models.factory import make_model
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Model, Purpose
from evolver.models.registry import usages_with_batches
from evolver.scheduler.attempt import Method
from evolver.settings import Settings
from evolver_store.batches import OPEN, Batch, close_batch, find_batch, open_batches, set_cancelling
from evolver_store.connect import Store, open_for_writing, reading, shown, store_url


def check_batchable(
    settings: Settings, models: Mapping[Purpose, Model], identities: Mapping[Purpose, ModelIdentity]
) -> None:
    """Make sure that what is to be asked in batches can be.

    Raises:
        SettingsError: A model has no batch API, or there is no call cache to keep answers in.
    """
    if not settings.batch:
        return
    if not settings.cache:
        raise SettingsError(
            "--batch needs the call cache, in which answers wait for the lineages that asked; nothing was sent. "
            "Leave out --no-cache, or name a new --store to pay for new answers."
        )
    remote = [purpose for purpose, who in identities.items() if not who.local]
    without = [purpose for purpose in remote or identities if not isinstance(models[purpose], Batchable)]
    if without:
        raise SettingsError(
            f"{identities[without[0]].name} has no batch API; nothing was sent. Leave out --batch, or name models "
            f"that have one: {', '.join(usages_with_batches())}."
        )


@asynccontextmanager
async def batching(
    settings: Settings, method: Method, models: Mapping[Purpose, Model], ledger: Ledger, listener: Listener
) -> AsyncIterator[tuple[Method, Batcher | None]]:
    """Yield the method with its models asked in batches, and the batcher; without ``--batch``, as it was.

    Raises:
        ModelError: A provider could not be asked about a batch whose submission was never confirmed.
    """
    if not settings.batch:
        in_flight = await ledger.read(lambda conn: open_batches(conn, method.run_id))
        if in_flight:
            requests = sum(batch.requests for batch in in_flight)
            listener(
                Notice(
                    f"{requests:,} requests of this run are in flight in batches; without --batch they are asked, and "
                    "paid, once more. Stop and add --batch to collect them."
                )
            )
        yield method, None
        return
    options = BatchOptions(settings.batch_min, settings.batch_fallback == "live", settings.batch_poll)
    batcher = Batcher(method.run_id, ledger, listener, options)
    askers = batcher.askers(method.askers, models)
    async with batcher:
        yield replace(method, askers=askers), batcher


def cancel_batch(store: Store, key: str, *, base_url: str | None = None) -> str:
    """Cancel a batch at its provider and note it; return the sentence that says what becomes of it.

    Args:
        store: Where it is.
        key: Its key or the provider's name for it, or the beginning of either.
        base_url: The provider's address; the one it was submitted to by default.

    Raises:
        BatchMissingError: No batch, or more than one, has that name.
        ModelError: The provider could not be asked; nothing was changed.
    """
    with reading(store) as engine, engine.connect() as conn:
        batch = find_batch(conn, key, shown(store_url(store)))
    if batch.status not in OPEN:
        return f"The batch {batch.key} is over ({batch.status}); nothing was done."
    known = batch.provider_id is not None and asyncio.run(_cancel(batch, batch.provider_id, base_url))
    engine = open_for_writing(store)
    try:
        with engine.begin() as conn:
            if known:
                set_cancelling(conn, batch.key)
            elif batch.provider_id is not None:
                close_batch(
                    conn, batch.key, "cancelled", succeeded=0, failed=0, reason="unknown to its provider"
                )
    finally:
        engine.dispose()
    if known:
        return (
            f"The batch {batch.key} is being cancelled. What it has answered is paid; the run collects that when it is "
            "run again, and submits the rest anew."
        )
    if batch.provider_id is not None:
        return f"The batch {batch.key} is given up: its provider does not know it. The run submits its requests anew."
    return (
        f"It is not known whether the batch {batch.key} was submitted; nothing was done. The run that made it "
        "finds out when it is run again."
    )


async def _cancel(batch: Batch, provider_id: str, base_url: str | None) -> bool:
    """Ask the provider to cancel; return whether it knows the batch."""
    model = make_model(batch.model, base_url=base_url or batch.base_url)
    if not isinstance(model, Batchable):
        raise SettingsError(f"{batch.model} has no batch API; nothing was cancelled.")
    try:
        await model.batch_api().cancel(provider_id)
    except UnknownBatchError:
        return False
    finally:
        await model.aclose()
    return True
