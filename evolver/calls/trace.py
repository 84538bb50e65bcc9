"""A log of what is asked, for people who look for the cause of something: one line for each try of a call.

It goes to the logger ``evolver.calls`` of the standard library, which says nothing until somebody listens: ``INFO``
tells purpose, model, row, try, status and seconds; ``DEBUG`` also what was sent and came back. Keys are in neither.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from evolver.calls.ask import Answer, Asks
from evolver.calls.key import Origin
from evolver.errors import ModelError
from evolver.models.protocol import Completion, Model, Purpose, Request
from evolver.text import one_line
from evolver_store.names import name_of

LOGGER = logging.getLogger("evolver.calls")


@dataclass(slots=True)
class _Call:
    """The call that a task is about: whose it is, and how often it was tried."""

    row: str
    tries: int = 0


_CALL: ContextVar[_Call | None] = ContextVar("evolver_call", default=None)


def traced_model(model: Model, name: str) -> Model:
    """Return a model that logs every try, or ``model`` itself where nobody listens."""
    return _TracedModel(model, name) if LOGGER.isEnabledFor(logging.INFO) else model


def traced(askers: Mapping[Purpose, Asks]) -> Mapping[Purpose, Asks]:
    """Return askers that know which row a call is for, or ``askers`` themselves where nobody listens."""
    if not LOGGER.isEnabledFor(logging.INFO):
        return askers
    return {purpose: _TracedAsks(one) for purpose, one in askers.items()}


class _TracedModel:
    """Asks a model and logs how each try ended."""

    def __init__(self, model: Model, name: str) -> None:
        self._model = model
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Have whatever else the model has."""
        return getattr(self._model, name)

    async def complete(self, request: Request) -> Completion:
        """Do what the model does."""
        call = _CALL.get() or _Call("-")
        call.tries += 1
        started = time.monotonic()
        status = "interrupted"
        try:
            completion = await self._model.complete(request)
            status = completion.finish_reason
            LOGGER.debug("sent %s; got %s", one_line(request.prompt), one_line(completion.text))
        except asyncio.CancelledError:
            status = "cut off"  # by --timeout, or by whoever stopped the run
            raise
        except ModelError as error:
            LOGGER.debug("sent %s", one_line(request.prompt))
            status = f"{type(error).__name__}: {getattr(error, 'kind', 'error')}"
            raise
        finally:
            _log(request.purpose, self._name, call, status, time.monotonic() - started)
        return completion


class _TracedAsks:
    """Says for whom its calls are, and logs those that no model had to be asked for."""

    def __init__(self, asks: Asks) -> None:
        self._asks = asks

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        return self._asks.name

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Do what the asker does."""
        row = "-" if origin.root_id is None else f"{name_of(origin.root_id)}/{origin.epoch or 0}"
        call = _Call(row)
        before = _CALL.set(call)
        started = time.monotonic()
        try:
            answer = await self._asks.ask(request, origin, priority)
        finally:
            _CALL.reset(before)
        if not call.tries:
            _log(request.purpose, self.name, call, "kept or in a batch", time.monotonic() - started)
        return answer


def _log(purpose: Purpose, model: str, call: _Call, status: str, seconds: float) -> None:
    LOGGER.info(
        "%s %s row %s try %d: %s in %.2f s", purpose, one_line(model), call.row, call.tries, status, seconds
    )
