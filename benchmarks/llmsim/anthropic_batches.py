"""Anthropic's message batches as the simulated provider speaks them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.llmsim.anthropic_api import AnthropicApi
from benchmarks.llmsim.api import Problem
from benchmarks.llmsim.batch_queue import Batch, BatchQueue, number_of, read_all, spool
from benchmarks.llmsim.desk import Desk, encode
from benchmarks.llmsim.wire import Exchange

MAX_REQUESTS = 100_000
MAX_BYTES = 256 * 1024 * 1024
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class AnthropicBatches:
    """``/v1/messages/batches``; a batch has no metadata, so ``custom_id`` alone says what a request is."""

    def __init__(self, desk: Desk, api: AnthropicApi) -> None:
        self._desk = desk
        self._api = api
        self._queue = BatchQueue(desk, api, "params")

    def batches(self, exchange: Exchange, rest: list[str]) -> None:
        """Answer ``/v1/messages/batches`` and what lies below it; ``rest`` are the segments after it."""
        post = exchange.request.method == "POST"
        if not rest:
            if post:
                self._create(exchange)
            else:
                self._list(exchange)
            return
        batch = self._queue.get(rest[0])
        if batch is None:
            self._refuse(exchange, self._api.problem("not_found", f"No such batch: {rest[0]}"))
            return
        if post and rest[1:] == ["cancel"]:
            self._queue.cancel(batch)
            self._desk.reply(exchange, self._api, self._shown(batch, exchange))
            return
        self._advance(batch)
        if rest[1:] == ["results"]:
            self._results(exchange, batch)
        else:
            self._desk.reply(exchange, self._api, self._shown(batch, exchange))

    def _create(self, exchange: Exchange) -> None:
        body = exchange.request.body
        if len(body) > MAX_BYTES:
            self._refuse(exchange, self._api.problem("too_large"))
            return
        requests = _requests(body)
        if isinstance(requests, str):
            self._refuse(exchange, self._api.problem("invalid", requests))
            return
        lines = spool()
        for request in requests:
            lines.write(encode(request) + b"\n")
        batch = self._queue.submit(f"msgbatch_sim{self._desk.number():08x}", lines, {})
        if self._desk.loses_answer():
            exchange.close()
            return
        self._desk.reply(exchange, self._api, self._shown(batch, exchange))

    def _list(self, exchange: Exchange) -> None:
        parameters = exchange.request.parameters()
        limit = number_of(parameters.get("limit"), 20, 1000)
        batches = self._queue.newest_first()
        before, after = parameters.get("before_id"), parameters.get("after_id")
        place = _place(batches, before or after)
        if place is None:
            self._refuse(exchange, self._api.problem("invalid", "The cursor names no batch."))
            return
        if before:
            shown, more = batches[max(0, place - limit) : place], place > limit
        else:
            start = place + 1 if after else 0
            shown, more = batches[start : start + limit], len(batches) > start + limit
        for batch in shown:
            self._advance(batch)
        self._desk.reply(
            exchange,
            self._api,
            {
                "data": [self._shown(batch, exchange) for batch in shown],
                "has_more": more,
                "first_id": shown[0].id if shown else None,
                "last_id": shown[-1].id if shown else None,
            },
        )

    def _results(self, exchange: Exchange, batch: Batch) -> None:
        if batch.ended is None:
            self._refuse(exchange, self._api.problem("not_found", "The batch has no results yet."))
            return
        exchange.reply(
            200, read_all(batch.results["all"]), self._desk.headers(self._api), b"application/x-jsonl"
        )

    def _advance(self, batch: Batch) -> None:
        """Settle a batch whose time is over or that was cancelled."""
        if batch.ended is not None or (batch.canceled_at is None and self._queue.progress(batch) < 1):
            return
        results = spool()
        for custom_id, outcome in self._queue.settle(batch):
            result: dict[str, Any]
            if isinstance(outcome, dict):
                result = {"type": "succeeded", "message": outcome}
            elif isinstance(outcome, Problem):
                result = {"type": "errored", "error": self._api.error(outcome, self._desk.number())}
            else:
                result = {"type": outcome}
            results.write(encode({"custom_id": custom_id, "result": result}) + b"\n")
        batch.results["all"] = results

    def _shown(self, batch: Batch, exchange: Exchange) -> dict[str, Any]:
        ended = batch.ended is not None
        status = "ended" if ended else "in_progress" if batch.canceled_at is None else "canceling"
        host = exchange.request.header(b"host")
        names = ("succeeded", "errored", "canceled", "expired")
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": status,
            "request_counts": {
                "processing": 0 if ended else batch.total,
                **{name: batch.tally.get(name, 0) if ended else 0 for name in names},
            },
            "created_at": _moment(batch.created),
            "expires_at": _moment(batch.created, timedelta(hours=24)),
            "ended_at": _moment(batch.ended),
            "cancel_initiated_at": _moment(batch.canceled_at),
            "archived_at": None,
            "results_url": f"http://{host}/v1/messages/batches/{batch.id}/results" if ended else None,
        }

    def _refuse(self, exchange: Exchange, problem: Problem) -> None:
        self._desk.refuse(exchange, self._api, problem)


def _requests(body: bytes) -> list[Mapping[str, Any]] | str:
    """Read the requests of a new batch, or say what is wrong with them."""
    try:
        requests = json.loads(body)["requests"]
    except (ValueError, KeyError, TypeError):
        return "requests: Field required"
    if not isinstance(requests, list) or not requests:
        return "requests: at least one is required"
    if len(requests) > MAX_REQUESTS:
        return f"requests: at most {MAX_REQUESTS:,} are allowed"
    seen: set[str] = set()
    for place, request in enumerate(requests):
        if not isinstance(request, dict) or not isinstance(request.get("params"), dict):
            return f"requests.{place}.params: Field required"
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            return f"requests.{place}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
        if custom_id in seen:
            return f"requests.{place}.custom_id: {custom_id} is not unique"
        seen.add(custom_id)
    return requests


def _place(batches: Sequence[Batch], id_: str | None) -> int | None:
    if not id_:
        return 0
    return next((place for place, batch in enumerate(batches) if batch.id == id_), None)


def _moment(seconds: float | None, later: timedelta = timedelta()) -> str | None:
    return None if seconds is None else (datetime.fromtimestamp(seconds, UTC) + later).isoformat()
