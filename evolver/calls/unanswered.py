"""Money that may be on the bill though no answer came of it: calls that were in flight when a run was killed.

While calls are in flight, the run's row says how many dollars of them there may be. A session that ends leaves nothing
there; what one finds was left by one that was killed, and counts as spent from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from evolver.calls.ledger import Ledger
from evolver_store.runs import Run
from evolver_store.schema import runs

UNANSWERED = "unanswered"
"""The key, in a run's settings, of the dollars in flight and of those that were lost before."""


class Unanswered:
    """What a run may have paid for in vain.

    Args:
        ledger: The store.
        run: As it was when the session began.
    """

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run_id = run.id
        known: Mapping[str, float] = run.settings.get(UNANSWERED, {})
        self.killed = known.get("in_flight_usd", 0.0)
        self.lost = known.get("lost_usd", 0.0) + self.killed
        self._noted = self.killed > 0

    async def note(self, in_flight: float) -> None:
        """Put on disk how many dollars may be in flight.

        Raises:
            StoreError: It cannot be written.
        """
        self._noted = True
        await self._ledger.write(lambda conn: self._write(conn, in_flight))

    def lose(self, usd: float) -> None:
        """Take note of a call that was given up in flight."""
        self.lost += usd

    async def end(self) -> None:
        """Put on disk that nothing is in flight any more.

        Raises:
            StoreError: It cannot be written.
        """
        if self._noted:
            await self.note(0.0)

    def _write(self, conn: Connection, in_flight: float) -> None:
        settings: dict[str, Any] = conn.execute(
            select(runs.c.settings).where(runs.c.id == self._run_id)
        ).scalar_one()
        said = {"in_flight_usd": in_flight, "lost_usd": self.lost}
        changed = {**settings, UNANSWERED: said}
        conn.execute(update(runs).where(runs.c.id == self._run_id).values(settings=changed))
