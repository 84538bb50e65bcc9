"""Answers by evolver's embedded model, so that a run over a socket can be compared with one without."""

from __future__ import annotations

from typing import cast

from benchmarks.llmsim.api import Ask
from benchmarks.llmsim.texts import purpose
from evolver.models.offline import OfflineModel
from evolver.models.protocol import Purpose, Request, Sampling

_MODEL = OfflineModel()


def offline(ask: Ask) -> str:
    """Return what the embedded model answers; it never waits, so no event loop is needed."""
    asked = Request(
        purpose=cast(Purpose, purpose(ask.prompt)),
        prompt=ask.prompt,
        sampling=Sampling(),
        sample=f"{ask.digest:016x}",
        system=ask.system,
    )
    running = _MODEL.complete(asked)
    try:
        running.send(None)
    except StopIteration as done:
        text: str = done.value.text
        return text
    raise RuntimeError("the embedded model waits for something; it must answer at once")
