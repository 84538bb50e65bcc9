"""The life of one live call: let in or refused, drawn a fault or none, kept for its latency, answered."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.llmsim.api import Api, Ask, Problem
from benchmarks.llmsim.desk import Desk, encode
from benchmarks.llmsim.wire import Exchange


@dataclass(slots=True)
class _Call:
    exchange: Exchange
    api: Api
    ask: Ask
    fault: str | None
    latency: float


class Live:
    """Serves chat completions and messages; ``changed`` is called after a call has ended or is kept back."""

    def __init__(self, desk: Desk, changed: Callable[[], None]) -> None:
        self._desk = desk
        self._changed = changed
        self._held: list[_Call] = []
        self._queue: deque[_Call] = deque()
        self._busy = 0
        self._later = asyncio.get_running_loop().call_later

    @property
    def held(self) -> int:
        """Return how many finished answers are kept back."""
        return sum(not call.exchange.gone for call in self._held)

    def release(self) -> None:
        """Send every answer that was kept back, unless it still is to be."""
        held, self._held = self._held, []
        for call in held:
            self._due(call)

    def call(self, exchange: Exchange, api: Api) -> None:
        """Take one call in; it is answered when its latency is over."""
        desk = self._desk
        counters = desk.counters
        ask = self._admitted(exchange, api)
        if isinstance(ask, Problem):
            desk.refuse(exchange, api, ask)
            return
        fault = desk.model.fault(ask, counters.contents.ask(ask.digest))
        if fault is not None:
            counters.by_fault[fault] += 1
            if fault in {"429", "529"}:
                desk.refuse(exchange, api, api.problem("rate_limited" if fault == "429" else "overloaded"))
                return
        call = _Call(exchange, api, ask, fault, desk.model.latency(ask))
        counters.timeline.change(1)
        exchange.on_gone = self._gone
        if fault == "hang":
            return
        if desk.config.slots:
            self._queue.append(call)
            self._serve()
        elif call.latency:
            self._later(call.latency, self._due, call)
        else:
            self._due(call)

    def _serve(self) -> None:
        """Begin the calls whose turn it is, where only so many are answered at a time."""
        while self._queue and self._busy < self._desk.config.slots:
            call = self._queue.popleft()
            if not call.exchange.gone:
                self._busy += 1
                self._later(call.latency, self._served, call)

    def _served(self, call: _Call) -> None:
        self._busy -= 1
        self._due(call)
        self._serve()

    def _admitted(self, exchange: Exchange, api: Api) -> Ask | Problem:
        gate, request = self._desk.gate, exchange.request
        problem = gate.account(api, api.key(request)) or gate.credit() or gate.limits(api)
        if problem is not None:
            return problem
        try:
            body = json.loads(request.body)
        except ValueError as error:
            return api.problem("invalid", f"The body is not valid JSON: {error}")
        if not isinstance(body, dict):
            return api.problem("invalid", "The body is not a JSON object.")
        ask = api.read(body)
        if isinstance(ask, Problem):
            return ask
        return gate.content(api, ask) or ask

    def _gone(self) -> None:
        self._desk.counters.clients_gone += 1
        self._desk.counters.timeline.change(-1)
        self._changed()

    def _due(self, call: _Call) -> None:
        if call.exchange.gone:
            return
        config = self._desk.config
        if config.hold or 0 <= config.hold_after <= self._desk.counters.completed:
            self._held.append(call)
            self._changed()
            return
        counters = self._desk.counters
        counters.timeline.change(-1)
        counters.latency += call.latency
        self._answer(call)
        counters.served += asyncio.get_running_loop().time() - call.exchange.started
        self._changed()

    def _answer(self, call: _Call) -> None:
        desk, api, exchange = self._desk, call.api, call.exchange
        if call.fault == "500":
            desk.refuse(exchange, api, api.problem("server_error"))
        elif call.fault == "drop":
            body = encode(api.message(call.ask, desk.model.answer(call.ask), desk.number()))
            exchange.reply_half(200, body, desk.headers(api))
        elif call.fault == "malformed":
            body = encode(api.message(call.ask, desk.model.answer(call.ask), desk.number()))
            desk.send(exchange, api, body[: len(body) // 2])
        else:
            outcome = desk.outcome(api, call.ask)
            if isinstance(outcome, Problem):
                desk.refuse(exchange, api, outcome)
            else:
                desk.counters.completed += 1
                desk.reply(exchange, api, outcome)
