"""Turn a run that asks live into one that asks in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from evolver.errors import SettingsError
from evolver.models.batch.batcher import Batcher, BatchOptions
from evolver.models.batch.protocol import Batchable
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Model, Purpose
from evolver.scheduler.attempt import Method
from evolver.scheduler.events import Listener, Notice
from evolver.scheduler.ledger import Ledger
from evolver.settings import Settings
from evolver_store.batches import open_batches


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
            "that have one: openai:NAME, anthropic:NAME."
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
