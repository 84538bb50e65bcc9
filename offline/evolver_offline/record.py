"""What evolver is told of the embedded model: the entry point ``offline`` under ``evolver.models``."""

from __future__ import annotations

from evolver.models.protocol import Model
from evolver.models.registry import Provider, Setup


def _make(name: str, setup: Setup) -> Model:
    from evolver_offline.model import OfflineModel  # its tables of words stay out of every other run

    return OfflineModel()


OFFLINE = Provider(
    prefix="offline",
    make=_make,
    local=True,
    sole_model="offline/1",
    notice=(
        "The embedded model 'offline' rewrites by rules: its output shows the pipeline and trains nothing. "
        "Name a real model with --model."
    ),
    dataset_notice=(
        "**Not for training.** The rows were rewritten and answered by rules (evolver's embedded model): they show the "
        "shape\nof a dataset and teach nothing."
    ),
)
