"""What a batch needs of the store, by name: each method is one transaction, and waits for the disk in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from evolver.calls.ledger import Ledger
from evolver.models.identity import ModelIdentity
from evolver_store import batches as table
from evolver_store.batches import Asked, Batch

__all__ = ["Asked", "Batch", "BatchStore"]


class BatchStore:
    """The batches of one run.

    Args:
        ledger: The store.
        run_id: The run; batches of others are left alone.
    """

    def __init__(self, ledger: Ledger, run_id: int) -> None:
        self._ledger = ledger
        self._run_id = run_id

    async def in_flight(self) -> list[Batch]:
        """Return the run's batches that are not collected yet, oldest first."""
        return await self._ledger.read(lambda conn: table.open_batches(conn, self._run_id))

    async def unanswered(self, batch: Batch) -> list[Asked]:
        """Return the requests of a batch that have no answer in the store yet; their answers may come any time."""
        asked = await self._ledger.read(lambda conn: table.asked_in(conn, batch.key))
        self._ledger.expect(each.key for each in asked)
        return asked

    async def answered(self, keys: Sequence[str]) -> set[str]:
        """Return those of ``keys`` whose answer is in the store by now."""
        found = await self._ledger.read(lambda conn: table.answered_keys(conn, keys))
        self._ledger.expect(found)
        return found

    async def ours(self) -> set[str]:
        """Return the provider's names of all batches that are known to be of this store."""
        return await self._ledger.read(table.claimed_ids)

    async def intend(
        self, who: ModelIdentity, asked: Iterable[Asked], reserved_usd: float, at: datetime
    ) -> Batch:
        """Store that a batch is about to be submitted; ``at`` is the time by the provider's clock."""
        requests = list(asked)
        return await self._ledger.write(
            lambda conn: table.add_intent(
                conn,
                run_id=self._run_id,
                provider=who.provider,
                base_url=who.base_url,
                model=who.name,
                asked=requests,
                reserved_usd=reserved_usd,
                created_at=at,
            )
        )

    async def submitted(self, batch: Batch, provider_id: str) -> None:
        """Store by which name the provider knows a batch.

        Raises:
            BatchMissingError: Its row has gone.
        """
        await self._ledger.write(lambda conn: table.set_submitted(conn, batch.key, provider_id))

    async def intended_again(self, batch: Batch) -> None:
        """Store that the provider's name for a batch was another batch's."""
        await self._ledger.write(lambda conn: table.set_intended(conn, batch.key))

    async def forget(self, batch: Batch) -> None:
        """Forget a batch that was never submitted."""
        await self._ledger.write(lambda conn: table.drop_intent(conn, batch.key))

    async def count(self, batch: Batch, succeeded: int, failed: int) -> None:
        """Store how far the provider is."""
        await self._ledger.write(lambda conn: table.set_counts(conn, batch.key, succeeded, failed))

    async def close(
        self, batch: Batch, status: str, *, succeeded: int, failed: int, reason: str | None
    ) -> None:
        """Store how a batch ended, after the answers kept so far."""
        await self._ledger.write(
            lambda conn: table.close_batch(
                conn, batch.key, status, succeeded=succeeded, failed=failed, reason=reason
            )
        )

    async def room(self) -> None:
        """Wait while too much is on its way to the disk."""
        await self._ledger.room()
