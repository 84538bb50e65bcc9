"""Which calls of a run its store holds already, whichever run paid for them: its attempts are made again from there.

Nothing is asked and nothing written. An attempt is followed through mutator, rules, judge and answer as a run
would, each call taken from the store by its key; where one is not there, the lineage ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection

from evolver.calls.ask import Answer
from evolver.calls.key import Origin, call_key
from evolver.calls.rows import completion_of
from evolver.errors import NotAStoreError, StoreMissingError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose, Request
from evolver.plan import Plan
from evolver.scheduler.answers import answer_seed
from evolver.scheduler.attempt import Method, attempt
from evolver.scheduler.evolve import method_of
from evolver.scheduler.frontier import Job, content_digest
from evolver_store.connect import reading
from evolver_store.runs import calls_of
from evolver_store.schema import row_id

_T = TypeVar("_T")
_RUN = 1  # no row is made, so any number does


@dataclass(frozen=True, slots=True)
class Held:
    """What the store holds for the lineages that were followed, by purpose and epoch (0: answers to seeds).

    ``whole`` counts the attempts of which nothing is left to be asked, by epoch; ``calls`` those of all others, and
    the answers to seeds.
    """

    whole: Counter[int] = field(default_factory=Counter)
    calls: Counter[tuple[Purpose, int]] = field(default_factory=Counter)


class _NotHeldError(Exception):
    """The store does not hold a call."""


@dataclass(frozen=True, slots=True)
class _FromStore:
    """Answers from the store alone, and notes what for."""

    who: ModelIdentity
    conn: Connection
    served: set[Purpose]

    @property
    def name(self) -> str:
        return self.who.name

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        key = call_key(self.who, request)
        row = calls_of(self.conn, [key]).get(key)
        if row is None:
            raise _NotHeldError
        self.served.add(request.purpose)
        return Answer(completion_of(row), row["cost_usd"])


def held_calls(plan: Plan, instructions: Iterable[str]) -> Held:
    """Follow the lineages of some seeds of a plan through its store, as far as that holds their calls.

    Raises:
        PluginError: A mutator or rule of the user's failed.
        StoreError: There is a store, and it cannot be read.
    """
    held = Held()
    if plan.local or not plan.settings.cache:
        return held
    try:
        with reading(plan.settings.store) as engine, engine.connect() as conn:
            _follow_all(plan, conn, instructions, held)
    except (StoreMissingError, NotAStoreError):
        pass  # a run makes the store, or says why it cannot
    return held


def _follow_all(plan: Plan, conn: Connection, instructions: Iterable[str], held: Held) -> None:
    served: set[Purpose] = set()
    askers = {purpose: _FromStore(who, conn, served) for purpose, who in plan.identities.items()}
    method = method_of(plan, _RUN, cast(Any, askers))
    for ordinal, text in enumerate(instructions):
        if plan.settings.answer_seeds != "none":
            _done(answer_seed(row_id(_RUN, ordinal), text, None, None, method), served)
            held.calls.update((purpose, 0) for purpose in served)
        _follow(plan, ordinal, text, method, served, held)


def _follow(plan: Plan, ordinal: int, text: str, method: Method, served: set[Purpose], held: Held) -> None:
    """Make a lineage's attempts again until the store does not hold one of their calls."""
    root, root_id = content_digest(text), row_id(_RUN, ordinal)
    for epoch in range(1, plan.settings.epochs + 1):
        for number in range(1, plan.settings.attempts + 1):
            row = _done(attempt(Job(root_id, root_id, epoch, number, root), text, method), served)
            if row is None:
                held.calls.update((purpose, epoch) for purpose in served)
                return
            held.whole[epoch] += 1
            if row["status"] == "survivor":
                text = row["instruction"]
                break


def _done(work: Coroutine[Any, Any, _T], served: set[Purpose]) -> _T | None:
    """Run to its end what never waits for anything; ``None`` where it needs what the store does not hold."""
    served.clear()
    try:
        work.send(None)
    except StopIteration as end:
        return cast(_T, end.value)
    except _NotHeldError:
        return None
    raise AssertionError("an attempt from the store waited for something")
