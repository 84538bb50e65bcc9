"""What a store knows of calls and attempts already made: the past that an estimate rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection

from evolver.errors import NotAStoreError, StoreMissingError
from evolver.facts.attempts import outcomes
from evolver.facts.spending import paid_calls
from evolver.models.protocol import Purpose
from evolver_store.connect import reading
from evolver_store.runs import find_run


@dataclass(slots=True)
class Tokens:
    """So many calls, and the tokens they took together."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, calls: int, prompt: int, completion: int) -> None:
        """Count some more."""
        self.calls += calls
        self.prompt += prompt
        self.completion += completion


@dataclass(slots=True)
class Usage:
    """The past of a store, as far as one run and its models are concerned.

    ``tokens`` are those of all calls of the models, whichever run made them, by model, purpose and epoch (0 is the
    answers to seeds); ``made`` and ``done`` are the calls and the finished attempts of the run itself, and
    ``spent_usd`` what it has spent.
    """

    tokens: dict[tuple[str, Purpose, int], Tokens] = field(default_factory=dict)
    made: Counter[tuple[Purpose, int]] = field(default_factory=Counter)
    done: Counter[int] = field(default_factory=Counter)
    spent_usd: float = 0.0


def read_usage(store: str, run: str, models: Collection[str]) -> Usage:
    """Read what is known; nothing, where there is no store yet.

    Raises:
        StoreError: There is one and it cannot be read.
    """
    try:
        with reading(store) as engine, engine.connect() as conn:
            return _read(conn, run, models)
    except (StoreMissingError, NotAStoreError):
        return Usage()  # a run makes the store, or says why it cannot


def _read(conn: Connection, run: str, models: Collection[str]) -> Usage:
    usage = Usage()
    found = find_run(conn, run)
    run_id = -1 if found is None else found.id
    for paid in paid_calls(conn):
        purpose, spent = cast(Purpose, paid.purpose), paid.spent
        if paid.model in models:
            known = usage.tokens.setdefault((paid.model, purpose, paid.epoch), Tokens())
            known.add(spent.calls, spent.prompt_tokens, spent.completion_tokens)
        if paid.run_id == run_id:
            usage.made[purpose, paid.epoch] += spent.calls
            usage.spent_usd += spent.cost_usd or 0.0
    for epoch, tally in outcomes(conn, run_id).by_epoch().items():
        usage.done[epoch] = tally.attempts
    return usage
