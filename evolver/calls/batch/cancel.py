"""Cancel a batch at its provider, and note it in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from evolver.errors import SettingsError, UnknownBatchError
from evolver.models.batch.protocol import Batchable
from evolver.models.factory import identify, make_model
from evolver.text import one_line
from evolver_store.batches import OPEN, Batch, close_batch, find_batch, set_cancelling
from evolver_store.connect import Store, open_for_writing, reading, shown, store_url


def cancel_batch(
    store: Store,
    key: str,
    *,
    base_url: str | None = None,
    on_notice: Callable[[str], None] | None = None,
) -> str:
    """Cancel a batch at its provider and note it; return the sentence that says what becomes of it.

    Args:
        store: Where it is.
        key: Its key or the provider's name for it, or the beginning of either.
        base_url: The provider's address, as the user says it.
        on_notice: Told what the user should read once.

    Raises:
        BatchMissingError: No batch, or more than one, has that name.
        SettingsError: It was submitted to an address that only the store names; nothing was sent there.
        ModelError: The provider could not be asked; nothing was changed.
    """
    with reading(store) as engine, engine.connect() as conn:
        batch = find_batch(conn, key, shown(store_url(store)))
    if batch.status not in OPEN:
        return f"The batch {batch.key} is over ({batch.status}); nothing was done."
    known = batch.provider_id is not None and asyncio.run(
        _cancel(batch, batch.provider_id, _address(batch, base_url), on_notice)
    )
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


async def _cancel(
    batch: Batch, provider_id: str, base_url: str | None, on_notice: Callable[[str], None] | None
) -> bool:
    """Ask the provider to cancel; return whether it knows the batch."""
    model = make_model(batch.model, base_url=base_url, on_notice=on_notice)
    if not isinstance(model, Batchable):
        raise SettingsError(f"{batch.model} has no batch API; nothing was cancelled.")
    try:
        await model.batch_api().cancel(provider_id)
    except UnknownBatchError:
        return False
    finally:
        await model.aclose()
    return True


def _address(batch: Batch, said: str | None) -> str | None:
    """Return the address to ask: the user's, else the provider's own; never one that only the store names.

    A store may have come from anybody, and whoever is asked is sent the key.

    Raises:
        SettingsError: The batch was submitted to an address that is neither.
    """
    if said is not None:
        return said
    known = identify(batch.model).base_url  # the provider's own, or the one in its variable
    if batch.base_url in (None, known):
        return None
    raise SettingsError(
        f"the store says that the batch {batch.key} was submitted to {one_line(str(batch.base_url))}, which may be "
        "anybody's, so no key was sent there and nothing was cancelled. If that address is right, give it with "
        "--base-url URL."
    )
