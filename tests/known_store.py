"""A small store whose every row is known, for tests of questions; loaded as a plugin by ``tests/conftest.py``.

Run ``first`` (id 1, 3 epochs):

* ``A`` survives with deepen, is called equal by the judge under concretize, survives with breadth;
* ``B``, a seed without a response and with hostile signs, dies of a refusal and of equal words, and then fails;
* ``C`` survives three times, and ends with the text that ``A`` ends with.

Run ``second`` (id 2) has one seed and one attempt of another, later epoch count.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from evolver_store.connect import open_for_writing
from evolver_store.schema import calls, instructions, row_id, runs
from tests.postgres_fixture import MakeStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = 'Sing [bold]a[/bold] "song"\x1b[31m\non \\ of 歌.'
SAME = "Write a poem about sorting."

A, B, C, OTHER = row_id(1, 0), row_id(1, 1), row_id(1, 2), row_id(2, 0)
A1, A2, A3 = (row_id(1, 0, epoch, 1) for epoch in (1, 2, 3))
B1, B2, B3 = (row_id(1, 1, epoch, 1) for epoch in (1, 2, 3))
C1, C2, C3 = (row_id(1, 2, epoch, 1) for epoch in (1, 2, 3))
OTHER1 = row_id(2, 0, 1, 1)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def known_store(request: pytest.FixtureRequest, make_store: MakeStore) -> str:
    """Return the URL of the known store, once on each database; nobody may write to it."""
    url = make_store(request.param)
    engine = open_for_writing(url)
    with engine.begin() as conn:
        conn.execute(insert(runs), [a_run(1, "first", 3), a_run(2, "second", 1)])
        conn.execute(insert(instructions), ROWS)
        conn.execute(insert(calls), [_call(number, purpose) for number, purpose in enumerate(_PURPOSES)])
    engine.dispose()
    return url


_PURPOSES = ("evolve", "evolve", "judge", "answer")


def a_run(id_: int, name: str, epochs: int) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "status": "finished",
        "settings": {},
        "pool": "pools/pool.json",
        "pool_sha256": "",
        "seeds": 3 if id_ == 1 else 1,
        "epochs": epochs,
        "seed": 0,
        "model": "script/1",
        "evolver_version": "0",
        "created_at": NOW,
        "finished_at": NOW,
    }


def _call(number: int, purpose: str) -> dict[str, Any]:
    return {
        "key": f"key{number}",
        "run_id": 1,
        "root_id": A,
        "epoch": 1,
        "purpose": purpose,
        "provider": "script",
        "model": "script/1",
        "completion": "text",
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": 0.25,
        "latency_s": 0.1,
        "created_at": NOW,
    }


def _row(id_: int, instruction: str | None, response: str | None = None, **more: Any) -> dict[str, Any]:
    seed = not id_ & 0xFFF
    defaults = {
        "id": id_,
        "run_id": id_ >> 40,
        "root_id": id_ & ~0xFFF,
        "parent_id": None,
        "epoch": (id_ & 0xFFF) >> 6,
        "attempt": 0 if seed else 1,
        "family": "seed" if seed else "depth",
        "mutator": None,
        "status": "seed" if seed else "survivor",
        "rule": None,
        "reason": None,
        "instruction": instruction,
        "response": response,
        "model": None if seed else "script/1",
        "prompt_tokens": 0 if seed else 10,
        "completion_tokens": 0 if seed else 4,
        "cost_usd": None if seed else 0.5,
        "details": None,
        "reasoning": None,
        "created_at": NOW,
    }
    return defaults | more


def _survivor(id_: int, parent: int, mutator: str, text: str) -> dict[str, Any]:
    return _row(id_, text, "An answer.", parent_id=parent, mutator=mutator, details={"judge": "not_equal"})


def _dead(id_: int, parent: int, mutator: str, text: str | None, rule: str, **more: Any) -> dict[str, Any]:
    more.setdefault("status", "eliminated")
    return _row(id_, text, more.pop("response", None), parent_id=parent, mutator=mutator, rule=rule, **more)


ROWS = [
    _row(A, "Sort a list.", "Use sorted()."),
    _survivor(A1, A, "deepen", "Sort a list of words by length."),
    _dead(
        A2,
        A1,
        "concretize",
        "Sort a list of words by their length.",
        "no_information_gain",
        reason="the judge says 'Equal'",
        details={"judge": "equal", "judge_answer": "Equal"},
    ),
    _survivor(A3, A1, "breadth", SAME),
    _row(B, HOSTILE),
    _dead(
        B1,
        B,
        "deepen",
        "Sing a song of sixpence.",
        "refusal",
        reason="the response says 'sorry' in 12 words, fewer than 80",
        response="Sorry, I cannot sing.",
        details={"judge": "undecided"},
    ),
    _dead(
        B2,
        B,
        "breadth",
        HOSTILE,
        "no_information_gain",
        reason="the rewrite's 6 words are its parent's, case and white space aside",
    ),
    _dead(
        B3,
        B,
        "concretize",
        None,
        "content_filter",
        status="failed",
        reason="the provider filtered it",
        cost_usd=None,
    ),
    _row(C, "Reverse a text.", "Use [::-1]."),
    _survivor(C1, C, "deepen", "Reverse a text word by word."),
    _survivor(C2, C1, "deepen", "Reverse a text word by word, keeping the commas."),
    _survivor(C3, C2, "concretize", SAME),
    _row(OTHER, "Sort a list.", "Use sorted()."),
    _survivor(OTHER1, OTHER, "deepen", "Sort a linked list."),
]
