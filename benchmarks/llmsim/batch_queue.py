"""Batches as both providers have them: taken in whole, worked off over time, settled in an order of their own."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import IO, Any, Literal

from benchmarks.llmsim.api import Api, Ask, Problem
from benchmarks.llmsim.desk import Desk
from benchmarks.llmsim.draws import digest, uniform

Outcome = dict[str, Any] | Problem | Literal["expired", "canceled"]

IN_MEMORY = 1 << 20
HELD_PROGRESS = 0.5


def spool() -> IO[bytes]:
    """Return a file that is memory up to 1 MiB and beyond that lies on disk, without a name to clean up."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


def read_all(file: IO[bytes]) -> bytes:
    """Return the whole content of a spool."""
    file.seek(0)
    return file.read()


@dataclass(slots=True)
class Batch:
    """One batch; times are Unix seconds.

    ``times`` says for each request, in the order of ``lines``, how often its content was submitted before.
    ``canceled_at`` and ``canceled_share`` tell when, and how much of it was worked off by then.
    """

    id: str
    lines: IO[bytes]
    times: list[int]
    created: float
    about: Mapping[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    canceled_at: float | None = None
    canceled_share: float = 1.0
    ended: float | None = None
    tally: dict[str, int] = field(default_factory=dict)
    results: dict[str, IO[bytes]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return the number of its requests."""
        return len(self.times)


class BatchQueue:
    """The batches of one provider."""

    def __init__(self, desk: Desk, api: Api, body_field: str) -> None:
        self._desk = desk
        self._api = api
        self._body_field = body_field
        self._batches: dict[str, Batch] = {}

    def submit(self, id_: str, lines: IO[bytes], about: Mapping[str, Any]) -> Batch:
        """Take a valid batch in and count it."""
        counters = self._desk.counters
        times = []
        lines.seek(0)
        for line in lines:
            request = json.loads(line)
            content = self._content(request)
            counters.contents.ask(content)
            counters.batch_ids.ask(digest(request["custom_id"]))
            times.append(counters.batch_contents.ask(content))
        counters.batches["submitted"] += 1
        counters.batches["requests"] += len(times)
        batch = Batch(id_, lines, times, self._desk.clock.now(), about)
        self._batches[id_] = batch
        return batch

    def add_failed(self, batch: Batch) -> None:
        """Keep a batch that is not worked off."""
        self._batches[batch.id] = batch

    def get(self, id_: str) -> Batch | None:
        """Return a batch by its id."""
        return self._batches.get(id_)

    def newest_first(self) -> Sequence[Batch]:
        """Return every batch, the latest one first."""
        return list(reversed(self._batches.values()))

    def progress(self, batch: Batch) -> float:
        """Return the share of its time that is over; held batches stop half-way."""
        config = self._desk.config
        elapsed = time.monotonic() - batch.began
        share = min(1.0, elapsed / config.batch_seconds) if config.batch_seconds > 0 else 1.0
        return min(share, HELD_PROGRESS) if config.batch_hold else share

    def cancel(self, batch: Batch) -> None:
        """Stop working on a batch; what is done by now stays done."""
        if batch.ended is None and batch.canceled_at is None:
            batch.canceled_share = self.progress(batch)
            batch.canceled_at = self._desk.clock.now()

    def settle(self, batch: Batch) -> Iterator[tuple[str, Outcome]]:
        """Work a batch off and count it: custom ids and outcomes, in no order of the requests."""
        counters = self._desk.counters
        batch.lines.seek(0)
        requests = list(enumerate(zip(batch.lines, batch.times, strict=True)))
        done = int(batch.canceled_share * batch.total)
        Random(f"{self._desk.config.seed} {batch.id}").shuffle(requests)
        for place, (line, times) in requests:
            request = json.loads(line)
            outcome = self._outcome(request, times) if place < done else "canceled"
            if isinstance(outcome, dict):
                counters.batch_ids.answer(digest(request["custom_id"]))
                counters.batch_contents.answer(self._content(request))
            name = _name(outcome)
            batch.tally[name] = batch.tally.get(name, 0) + 1
            counters.batches[name] += 1
            yield request["custom_id"], outcome
        batch.ended = self._desk.clock.now()

    def _content(self, request: Mapping[str, Any]) -> int:
        body = request[self._body_field]
        ask = self._api.read(body)
        return digest(body) if isinstance(ask, Problem) else ask.digest

    def _outcome(self, request: Mapping[str, Any], times: int) -> Outcome:
        config = self._desk.config
        ask = self._api.read(request[self._body_field])
        if isinstance(ask, Problem):
            return ask
        draw = uniform(config.seed, ask.digest, b"batch", times)
        if draw < config.batch_rate_errored:
            return self._api.problem("server_error")
        if draw < config.batch_rate_errored + config.batch_rate_expired:
            return "expired"
        return self._answered(ask)

    def _answered(self, ask: Ask) -> Outcome:
        counters, gate = self._desk.counters, self._desk.gate
        prompt, completion = counters.prompt_tokens, counters.completion_tokens
        outcome = gate.credit() or gate.content(self._api, ask) or self._desk.outcome(self._api, ask)
        counters.batches["prompt_tokens"] += counters.prompt_tokens - prompt
        counters.batches["completion_tokens"] += counters.completion_tokens - completion
        return outcome


def _name(outcome: Outcome) -> str:
    if isinstance(outcome, dict):
        return "succeeded"
    return "errored" if isinstance(outcome, Problem) else outcome


def number_of(text: str | None, default: int, highest: int) -> int:
    """Read a page size, kept between 1 and the provider's highest."""
    return max(1, min(highest, int(text))) if text and text.isdecimal() else default
