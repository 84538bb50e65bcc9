"""What one session of a run asks, counted from its events, told apart from what the whole run did."""

from __future__ import annotations

from dataclasses import dataclass, field

from evolver.events import AttemptEnded, CallEnded, Event, Listener, RunStarted
from evolver.facts.spending import Spent


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What a session paid for, as the store has it, and what it was served from the cache.

    Dollars of ``cached`` are ``None``: they were paid by whoever asked first.
    """

    paid: Spent = field(default_factory=Spent)
    cached: Spent = field(default_factory=Spent)


class SessionCount:
    """A listener that counts the calls served from the cache and the attempts, and passes every event on.

    Args:
        to: The next listener.
    """

    def __init__(self, to: Listener) -> None:
        self._to = to
        self._before = Spent()
        self._cached = [0, 0, 0]
        self.attempts = self.failed = 0
        self.last_failure: str | None = None

    def __call__(self, event: Event) -> None:
        """Take in one event; cheap, because there is one for every call."""
        if isinstance(event, CallEnded):
            if event.cached:
                self._cached[0] += 1
                self._cached[1] += event.prompt_tokens
                self._cached[2] += event.completion_tokens
        elif isinstance(event, AttemptEnded):
            self.attempts += 1
            if event.status == "failed":
                self.failed += 1
                self.last_failure = event.reason
        elif isinstance(event, RunStarted):
            self._before, self._cached = event.paid, [0, 0, 0]
            self.attempts = self.failed = 0
        self._to(event)

    def figures(self, paid: Spent) -> SessionFigures:
        """Return the figures of the session, given what the run has paid in all by now."""
        return SessionFigures(paid - self._before, Spent(*self._cached))
