"""How far a run is, counted from its events, for whoever draws progress."""

from __future__ import annotations

import time
from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field

from evolver.events import (
    AttemptEnded,
    BatchProgress,
    CallEnded,
    CallRetried,
    Event,
    Merging,
    Notice,
    PoolRead,
    RunStarted,
    SeedAnswered,
    Stopping,
)
from evolver.facts.attempts import Tally

_CALLS_EACH = 3.0  # evolve, judge, answer
_ENOUGH = 1_000  # attempts after which their own figure is the better guess
_RATE_OVER = 30.0  # seconds over which calls per second are measured


@dataclass(slots=True)
class RunProgress:
    """What has happened so far; written by the event loop, read by whoever draws.

    ``done``, ``outcomes`` and ``spent_usd`` are of the whole run, counted on from what the store held when the session
    began; ``calls``, ``cached``, ``retries`` and ``answered`` are of this session.
    """

    run: RunStarted | None = None
    pool: PoolRead | None = None
    done: list[int] = field(default_factory=list)
    outcomes: Tally = field(default_factory=Tally)
    retries: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    cached: int = 0
    answered: int = 0
    spent_usd: float = 0.0
    priced: bool = False
    stopping: Stopping | None = None
    merging: Merging | None = None
    batches: BatchProgress | None = None

    @property
    def calls_left(self) -> float:
        """Calls that the rest of the run will take, at what attempts have taken so far."""
        assert self.run is not None
        total = self.run.seeds * self.run.epochs
        before = sum(self.run.done_by_epoch)
        finished = sum(self.done) - before
        each = min(_CALLS_EACH, self.calls / finished) if finished > _ENOUGH else _CALLS_EACH
        return max(0.0, (total - before) * each - self.calls)

    def add(self, event: Event) -> None:
        """Take in one event; cheap, because there is one for every call."""
        match event:
            case CallEnded():
                self.calls += 1
                self.cached += event.cached
                if event.cost_usd and not event.cached:
                    self.spent_usd += event.cost_usd
                    self.priced = True
            case AttemptEnded():
                self.done[event.epoch] += 1
                self.outcomes.add(event.status, event.rule)
            case CallRetried():
                self.retries[event.kind] += 1
            case SeedAnswered():
                self.answered += 1
            case RunStarted():
                self.run, self.done = event, list(event.done_by_epoch)
                self.outcomes = deepcopy(event.outcomes)
                self.spent_usd = event.paid.cost_usd or 0.0
            case PoolRead():
                self.pool = event
            case Stopping():
                self.stopping = event
            case Merging():
                self.merging = event
            case BatchProgress():
                self.batches = event
            case Notice():
                pass


class Rate:
    """Calls per second over the last half minute.

    The time that is left follows from calls, not attempts: attempts finish in waves, calls do not.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def note(self, calls: int) -> None:
        """Take down how far the run is now."""
        now = time.monotonic()
        self._seen.append((now, calls))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_OVER:
            self._seen.pop(0)

    def per_second(self) -> float:
        """Calls per second; 0 before anything can be said."""
        if len(self._seen) < 2:
            return 0.0
        (started, before), (now, after) = self._seen[0], self._seen[-1]
        return (after - before) / (now - started) if now > started else 0.0
