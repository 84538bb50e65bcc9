"""Where the parts of the simulated provider meet: settings, model, gate, counters, numbered responses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from benchmarks.llmsim.api import Answer, Api, Ask, Problem
from benchmarks.llmsim.clock import Clock
from benchmarks.llmsim.config import Config
from benchmarks.llmsim.counters import Counters
from benchmarks.llmsim.gate import Gate
from benchmarks.llmsim.model import SimulatedModel
from benchmarks.llmsim.wire import Exchange

dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(document: object) -> bytes:
    """Return compact JSON; a lone surrogate, which UTF-8 cannot hold, is escaped."""
    try:
        return dumps(document).encode()
    except UnicodeEncodeError:
        return json.dumps(document).encode()


class Desk:
    """The state of one server."""

    def __init__(self, config: Config) -> None:
        self.counters = Counters()
        self.clock = Clock()
        self._numbers = count(1)
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Serve by ``config`` from now on; calls under way keep the latency they have drawn."""
        self.config = config
        self.model = SimulatedModel(config)
        self.gate = Gate(config, self.counters)
        self.clock.ahead = config.clock_ahead

    def number(self) -> int:
        """Return the next number, for ids."""
        return next(self._numbers)

    def reply(self, exchange: Exchange, api: Api, document: Mapping[str, Any], status: int = 200) -> None:
        """Send a document with the headers of its provider."""
        self.send(exchange, api, encode(document), status)

    def send(self, exchange: Exchange, api: Api, body: bytes, status: int = 200, more: bytes = b"") -> None:
        """Send bytes with the headers of their provider."""
        self.counters.by_status[status] += 1
        exchange.reply(status, body, self.headers(api) + more)

    def headers(self, api: Api) -> bytes:
        """Return the headers that every response of a provider has."""
        return self.clock.header() + api.headers(self.number(), self.gate.limit, self.gate.left)

    def refuse(self, exchange: Exchange, api: Api, problem: Problem) -> None:
        """Send an error, with Retry-After where it is a matter of time."""
        more = b""
        wait = self.config.retry_after
        if wait >= 0 and problem.status == 429 and problem.code != "insufficient_quota":
            more = b"retry-after: %b\r\n" % f"{wait:g}".encode()
        self.send(exchange, api, encode(api.error(problem, self.number())), problem.status, more)

    def outcome(self, api: Api, ask: Ask) -> dict[str, Any] | Problem:
        """Return the body that answers a question, counted and paid, or why there is none."""
        answer = self.model.answer(ask)
        if answer.finish == "content_filter":
            problem = api.prompt_refused()
            if problem is not None:
                return problem
        self._pay(ask, answer)
        return api.message(ask, answer, self.number())

    def loses_answer(self) -> bool:
        """Return whether the answer to a new batch is lost on its way; counts down."""
        left = self.config.batch_lose_answers
        if left <= 0:
            return False
        self.configure(self.config.merged({"batch_lose_answers": left - 1}))
        return True

    def _pay(self, ask: Ask, answer: Answer) -> None:
        counters = self.counters
        counters.prompt_tokens += ask.prompt_tokens
        counters.completion_tokens += answer.tokens
        counters.contents.answer(ask.digest)
