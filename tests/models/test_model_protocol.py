"""The contract of a model: its example runs, and what a user made stays the user's."""

from __future__ import annotations

import asyncio
import doctest
import json
from pathlib import Path

from evolver import Completion, Evolution, Request
from evolver.models import protocol
from evolver.models.factory import made_here


def test_the_example_in_the_docstring_of_a_model_runs() -> None:
    result = doctest.testmod(protocol)

    assert result.attempted > 4
    assert result.failed == 0


class Own:
    """A model that counts how often it is closed."""

    name = "own/1"
    local = True

    def __init__(self) -> None:
        self.closed = 0

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        return Completion("Not Equal" if request.purpose == "judge" else f"{request.prompt[-60:]} And why?")

    async def aclose(self) -> None:
        self.closed += 1


def test_a_model_of_the_users_is_never_closed_by_a_run(tmp_path: Path) -> None:
    pool = tmp_path / "pool.json"
    pool.write_text(json.dumps([{"instruction": "Name a river.", "output": "The Rhine."}]), encoding="utf-8")
    model = Own()

    for _ in range(2):
        Evolution(str(pool), model=model, epochs=1, store=str(tmp_path / "e.db"), output=None).run()

    assert model.closed == 0
    assert not made_here(model)
    assert made_here("openai:m")
