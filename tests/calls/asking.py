"""An asker as a session makes it, for tests that need one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evolver.calls.ask import Asker
from evolver.calls.budget import Budget
from evolver.calls.common import CallLog, Common
from evolver.calls.events import CallEvent
from evolver.calls.forecast import Forecast
from evolver.calls.gate import Gate
from evolver.calls.health import Health
from evolver.calls.prices import Price
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose

PURPOSES: tuple[Purpose, ...] = ("evolve", "judge", "answer")


class Alone:
    """A call log of nobody but this run."""

    async def idle(self) -> None:
        pass

    async def enter(self, key: str) -> bool:
        return True

    def leave(self, key: str) -> None:
        pass

    async def answer(self, key: str) -> Mapping[str, Any] | None:
        raise AssertionError("nobody else asks")

    def close(self) -> None:
        pass


def make_asker(
    model: Any,
    who: ModelIdentity,
    *,
    gate: Gate,
    log: CallLog,
    budget: Budget | None = None,
    price: Price | None = None,
    report: Callable[[CallEvent], None] = lambda event: None,
    timeout: float = 300.0,
    forecast: Forecast | None = None,
    clock: Callable[[], float] | None = None,
) -> Asker:
    forecast = forecast or Forecast(dict.fromkeys(PURPOSES, price))
    common = Common(gate, log, budget or Budget(), forecast, report, timeout)
    if clock is not None:
        common._healths[who.provider, who.base_url] = Health(clock)
    return Asker(model, who, price, common)
