from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from evolver.models.protocol import Completion, Purpose, Request, Sampling
from evolver.pool import read_pool
from evolver_offline import OfflineModel

POOL = Path(__file__).parents[2] / "examples" / "seeds.json"


def _complete(purpose: Purpose, prompt: str, sample: str = "1.1") -> Completion:
    return asyncio.run(OfflineModel().complete(Request(purpose, prompt, Sampling(), sample)))


@pytest.fixture(scope="session")
def complete() -> Callable[..., Completion]:
    """Ask the embedded model: purpose, prompt and, if it matters, the sample."""
    return _complete


@pytest.fixture(scope="session")
def instructions() -> list[str]:
    """The example pool, as it is evolved."""
    return [seed.instruction for seed in read_pool(POOL)]
