"""Answers by evolver's embedded model, so that a run over a socket can be compared with one without."""

from __future__ import annotations

from typing import cast

from benchmarks.llmsim.api import Ask, Finish
from benchmarks.llmsim.texts import purpose
from evolver.models.protocol import Completion, Purpose, Request, Sampling
from evolver_offline import OfflineModel

_MODEL = OfflineModel()
_TURNS = 10  # it may give way to other tasks, which here there are none of


def offline(ask: Ask) -> tuple[str, Finish]:
    """Return what the embedded model answers; it waits for nothing, so no event loop is needed."""
    asked = Request(
        purpose=cast(Purpose, purpose(ask.prompt)),
        prompt=ask.prompt,
        sampling=Sampling(),
        sample=f"{ask.digest:016x}",
        system=ask.system,
    )
    running = _MODEL.complete(asked)
    for _ in range(_TURNS):
        try:
            running.send(None)
        except StopIteration as done:
            said: Completion = done.value
            return said.text, "length" if said.finish_reason == "length" else "stop"
    raise RuntimeError("the embedded model waits for something; it must answer at once")
