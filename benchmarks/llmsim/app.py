"""Which part answers which path, and the paths by which tests and measures steer and watch the server.

====================  ==================================================================================
``GET /stats``        every counter, as JSON
``POST /reset``       all counters back to nothing; batches and files stay
``GET /control``      the settings
``POST /control``     settings to change, as a JSON object; answered with all of them
``GET /log``          digests of the contents that were answered, one a line
``GET /wait?held=3``  answered once each figure named has at least that value: requests, completed, held,
                      in_flight, clients_gone
====================  ==================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.llmsim.anthropic_api import AnthropicApi
from benchmarks.llmsim.anthropic_batches import AnthropicBatches
from benchmarks.llmsim.api import Api
from benchmarks.llmsim.config import Config, ConfigError
from benchmarks.llmsim.desk import Desk, encode
from benchmarks.llmsim.dialects import DIALECTS
from benchmarks.llmsim.live import Live
from benchmarks.llmsim.openai_api import OpenAIApi
from benchmarks.llmsim.openai_batches import OpenAIBatches
from benchmarks.llmsim.wire import Exchange

_MODELS = ("gpt-4.1-mini", "gpt-3.5-turbo", "claude-sonnet-4-0", "claude-haiku-3-5")
_WAITABLE = frozenset(("requests", "completed", "held", "in_flight", "clients_gone"))

Below = Callable[[Exchange, list[str]], None]


class App:
    """One server's routes; must be made inside a running event loop."""

    def __init__(self, config: Config) -> None:
        self._desk = Desk(config)
        self._waiting: list[tuple[Exchange, dict[str, int]]] = []
        self._live = Live(self._desk, self._wake)
        self._openai, self._anthropic = OpenAIApi(), AnthropicApi()
        self._speak(config)
        openai = OpenAIBatches(self._desk, self._openai)
        anthropic = AnthropicBatches(self._desk, self._anthropic)
        self._stores: dict[str, tuple[Api, Below]] = {
            "/v1/files": (self._openai, openai.files),
            "/v1/batches": (self._openai, openai.batches),
            "/v1/messages/batches": (self._anthropic, anthropic.batches),
            "/v1/models": (self._openai, self._models),
        }
        self._steering: dict[tuple[str, str], Callable[[Exchange], None]] = {
            ("GET", "/stats"): lambda exchange: exchange.reply(200, encode(self.stats())),
            ("POST", "/reset"): self._reset,
            ("GET", "/control"): self._settings,
            ("POST", "/control"): self._control,
            ("GET", "/log"): self._log,
            ("GET", "/wait"): self._wait,
        }

    def handle(self, exchange: Exchange) -> None:
        """Answer one request, now or later."""
        request = exchange.request
        if request.method == "POST" and request.path == "/v1/chat/completions":
            self._count(request.path)
            self._live.call(exchange, self._openai)
        elif request.method == "POST" and request.path == "/v1/messages":
            self._count(request.path)
            self._live.call(exchange, self._anthropic)
        elif steer := self._steering.get((request.method, request.path)):
            steer(exchange)
        else:
            self._stored(exchange)
        self._wake()

    def stats(self) -> dict[str, Any]:
        """Return every counter."""
        return {**self._desk.counters.as_dict(), "held": self._live.held}

    def _speak(self, config: Config) -> None:
        """Speak the dialect of the settings from now on."""
        self._openai.dialect = DIALECTS[config.dialect] if config.dialect else None
        self._anthropic.plain = config.dialect != ""
        self._anthropic.thinking = config.dialect == "anthropic-thinking"

    def _count(self, route: str) -> None:
        self._desk.counters.requests += 1
        self._desk.counters.by_path[route] += 1

    def _stored(self, exchange: Exchange) -> None:
        path = exchange.request.path
        for route, (api, below) in self._stores.items():
            if path == route or path.startswith(route + "/"):
                self._count(route)
                gate = self._desk.gate
                problem = gate.account(api, api.key(exchange.request))
                if problem is None and exchange.request.method == "POST":  # what was paid for may be fetched
                    problem = gate.credit()
                if problem is not None:
                    self._desk.refuse(exchange, api, problem)
                else:
                    below(exchange, path[len(route) + 1 :].split("/") if path != route else [])
                return
        self._count("elsewhere")
        self._desk.refuse(exchange, self._openai, self._openai.problem("not_found"))

    def _models(self, exchange: Exchange, rest: list[str]) -> None:
        def shown(name: str) -> Mapping[str, Any]:
            return {"id": name, "object": "model", "created": 0, "owned_by": "llmsim"}

        if rest:
            self._desk.reply(exchange, self._openai, shown(rest[0]))
        else:
            models = [shown(name) for name in _MODELS]
            self._desk.reply(exchange, self._openai, {"object": "list", "data": models})

    def _reset(self, exchange: Exchange) -> None:
        self._desk.counters.reset()
        exchange.reply(200, b"{}")

    def _settings(self, exchange: Exchange) -> None:
        exchange.reply(200, encode(asdict(self._desk.config)))

    def _control(self, exchange: Exchange) -> None:
        try:
            changes = json.loads(exchange.request.body)
            if not isinstance(changes, dict):
                raise ConfigError("settings are given as a JSON object")
            self._desk.configure(self._desk.config.merged(changes))
        except ValueError as error:
            exchange.reply(400, encode({"error": str(error)}))
            return
        self._speak(self._desk.config)
        self._live.release()
        self._settings(exchange)

    def _log(self, exchange: Exchange) -> None:
        lines = "".join(f"{content}\n" for content in self._desk.counters.contents.answered())
        exchange.reply(200, lines.encode(), content_type=b"text/plain")

    def _wait(self, exchange: Exchange) -> None:
        wanted = {
            name: int(value) for name, value in exchange.request.parameters().items() if value.isdecimal()
        }
        if not wanted or not wanted.keys() <= _WAITABLE:
            names = ", ".join(sorted(_WAITABLE))
            exchange.reply(400, encode({"error": f"name figures to wait for: {names}"}))
            return
        self._waiting.append((exchange, wanted))

    def _wake(self) -> None:
        if not self._waiting:
            return
        counters = self._desk.counters
        figures = {
            "requests": counters.requests,
            "completed": counters.completed,
            "held": self._live.held,
            "in_flight": counters.timeline.now,
            "clients_gone": counters.clients_gone,
        }
        waiting, self._waiting = self._waiting, []
        for exchange, wanted in waiting:
            if exchange.gone:
                continue
            if all(figures[name] >= value for name, value in wanted.items()):
                exchange.reply(200, encode(figures))
            else:
                self._waiting.append((exchange, wanted))
