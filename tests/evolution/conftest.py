"""A model whose every answer is written down here, and a pool small enough to reason about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from evolver import Completion, Request

GIVEN, ENDS = "#Given Prompt#:\n", ("#Rewritten Prompt#", "#Created Prompt#")


def given_instruction(prompt: str) -> str:
    """Take the instruction out of a built-in mutator's prompt."""
    tail = prompt.rsplit(GIVEN, 1)[-1]
    for end in ENDS:
        tail = tail.split(end)[0]
    return tail.strip()


def digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


class Scripted:
    """Rewrites by adding a word, finds nothing equal, and answers at length.

    A share of the answers apologise. ``asked`` holds every request. Completions depend on the request alone.
    With ``turns`` a call gives way to others so many times, as its content has it, before it returns.
    """

    name = "scripted/1"
    provider = "scripted"
    settings = ""  # tests change what it does between sessions; it is the same model all the same

    def __init__(self, *, turns: int = 0, local: bool = False) -> None:
        self.turns = turns
        self.local = local
        self.asked: list[Request] = []
        self.in_flight = self.most_in_flight = 0
        self.before: Callable[[Request], None] = lambda request: None

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        self.before(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(digest(request.prompt) % (self.turns + 1)):
                await asyncio.sleep(0)
            return Completion(self.text(request), "stop", len(request.prompt) // 4, 30)
        finally:
            self.in_flight -= 1

    def text(self, request: Request) -> str:
        number = digest(request.prompt + request.sample)
        if request.purpose == "evolve":
            return f"{given_instruction(request.prompt)} Mention the number {number}."
        if request.purpose == "judge":
            return "Not Equal"
        return "Sorry, I cannot." if number % 9 == 0 else f"A useful answer to: {request.prompt}"

    def count(self, purpose: str) -> int:
        return sum(request.purpose == purpose for request in self.asked)


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def make_pool(tmp_path: Path) -> Callable[..., Path]:
    def make(count: int = 20, name: str = "pool.json") -> Path:
        rows = [
            {"instruction": f"Name {number} rivers.", "input": "", "output": f"Here are {number} rivers."}
            for number in range(count)
        ]
        path = tmp_path / name
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    return make


@pytest.fixture
def rows_of() -> Callable[..., list[dict[str, Any]]]:
    """Read a store's instructions without what differs from session to session: the times."""
    from sqlalchemy import text

    from evolver_store.connect import reading

    def read(store: str | Path, run: str | None = None) -> list[dict[str, Any]]:
        where = "" if run is None else f"WHERE run_id = (SELECT id FROM runs WHERE name = '{run}')"
        with reading(store) as engine, engine.connect() as conn:
            found = conn.execute(text(f"SELECT * FROM instructions {where} ORDER BY id")).mappings().all()
        return [{key: value for key, value in row.items() if key != "created_at"} for row in found]

    return read
