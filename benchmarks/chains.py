"""What a run will ask, known before it is measured: its prompts, and which call waits for which.

The simulated provider's answers and latencies follow from what it is asked. So the run is made once in this
process against the same simulated model without a socket, and every later run asks exactly the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.llmsim.api import Ask
from benchmarks.llmsim.config import Config
from benchmarks.llmsim.model import SimulatedModel
from benchmarks.llmsim.openai_api import OpenAIApi
from evolver import Evolution
from evolver.events import AttemptEnded, Event
from evolver.models.protocol import Completion, Request
from evolver_store.schema import place

MODEL = "sim"
"""The name that every client gives for the model."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a run: the body of its request to an OpenAI server, and how the simulated one reads it."""

    body: dict[str, Any]
    ask: Ask


@dataclass(frozen=True, slots=True)
class Run:
    """The calls of a run, a chain for each lineage in the order of the pool: each waits for the one before it."""

    chains: list[list[Call]]

    def __len__(self) -> int:
        """How many calls there are."""
        return sum(map(len, self.chains))

    def latencies(self, law: str, seed: int = 0) -> list[list[float]]:
        """Return the seconds each call takes under a law such as ``lognormal:0.12:1.0``; ``seed`` is the server's."""
        latency = SimulatedModel(Config(latency=law, seed=seed)).latency
        return [[latency(call.ask) for call in chain] for chain in self.chains]

    def calls(self) -> Iterator[Call]:
        """Yield every call, lineage after lineage."""
        for chain in self.chains:
            yield from chain


def foresee(pool: Path, *, epochs: int = 4) -> Run:
    """Return what a run over ``pool`` asks an OpenAI-compatible simulated provider (style ``simple``)."""
    recorder = _Recorder()
    with TemporaryDirectory() as folder:
        Evolution(
            pool,
            model=recorder,
            on_event=recorder.heard,
            epochs=epochs,
            store=str(Path(folder) / "foreseen.db"),
            output=None,
        ).run()
    return Run([chain for _, chain in sorted(recorder.chains.items())])


def openai_body(request: Request) -> dict[str, Any]:
    """Return the body that evolver sends for ``request``."""
    messages = [{"role": "user", "content": request.prompt}]
    if request.system is not None:
        messages.insert(0, {"role": "system", "content": request.system})
    sampling = {
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
        "frequency_penalty": request.sampling.frequency_penalty,
        "max_tokens": request.sampling.max_tokens,
    }
    given = {name: value for name, value in sampling.items() if value is not None}
    return {"model": MODEL, "messages": messages, **given}


@dataclass(slots=True)
class _Recorder:
    """The simulated model without a socket. Each attempt is a task of its own, which tells whose call it is."""

    local = True
    chains: dict[int, list[Call]] = field(default_factory=dict)
    _open: dict[object, list[Call]] = field(default_factory=dict)
    _model: SimulatedModel = field(default_factory=lambda: SimulatedModel(Config()))
    _api: OpenAIApi = field(default_factory=OpenAIApi)

    async def complete(self, request: Request) -> Completion:
        body = openai_body(request)
        ask = self._api.read(body)
        assert isinstance(ask, Ask)
        self._open.setdefault(asyncio.current_task(), []).append(Call(body, ask))
        answer = self._model.answer(ask)
        return Completion(answer.text, answer.finish, ask.prompt_tokens, answer.tokens)

    def heard(self, event: Event) -> None:
        """Add an attempt's calls to its lineage; the event comes from the task that made them."""
        if isinstance(event, AttemptEnded):
            calls = self._open.pop(asyncio.current_task(), [])
            self.chains.setdefault(place(event.id).ordinal, []).extend(calls)
