"""What all askers of a session share: slots, store, money, and what is known of each provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from evolver.calls.budget import Budget
from evolver.calls.events import CallEvent, Notice
from evolver.calls.forecast import Forecast
from evolver.calls.gate import Gate
from evolver.calls.health import Health
from evolver.models.identity import ModelIdentity


class CallLog(Protocol):
    """Where completed calls are kept."""

    async def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the row of ``calls`` under that key, if it was ever paid for."""
        ...

    def keep(self, row: dict[str, Any]) -> None:
        """Store a row of ``calls``."""
        ...

    async def idle(self) -> None:
        """Wait while calls are being looked up."""
        ...

    async def enter(self, key: str) -> bool:
        """Begin to ask for a call, to be left in any case; false where another run of the store is asking for it."""
        ...

    def leave(self, key: str) -> None:
        """Have done with a call."""
        ...

    async def answer(self, key: str) -> Mapping[str, Any] | None:
        """Wait while another asks for a call; return what came of it, ``None`` where nothing did."""
        ...

    def close(self) -> None:
        """Send everybody away who waits for another's answer."""
        ...


@dataclass(slots=True)
class Common:
    """What all askers of a session share.

    ``timeout`` is the seconds after which a call counts as failed and is tried again; ``again`` asks anew what a
    provider's filter withheld before; ``on_loss`` is told the dollars of a call that was given up in flight.
    """

    gate: Gate
    log: CallLog
    budget: Budget
    forecast: Forecast
    report: Callable[[CallEvent], None]
    timeout: float = 300.0
    again: bool = False
    on_loss: Callable[[float], None] = lambda usd: None
    told: set[str] = field(default_factory=set)
    _healths: dict[tuple[str, str | None], Health] = field(default_factory=dict)

    def health(self, who: ModelIdentity) -> Health:
        """Return the health of a model's provider at its address: one for all who ask there."""
        return self._healths.setdefault((who.provider, who.base_url), Health())

    def tell_once(self, text: str) -> None:
        """Tell the user something, the first time."""
        if text not in self.told:
            self.told.add(text)
            self.report(Notice(text))

    def close(self) -> None:
        """Let no more calls start, and nobody wait for one."""
        self.gate.close()
        self.budget.close()
        self.log.close()
        for health in self._healths.values():
            health.close()
