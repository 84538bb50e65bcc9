"""What the simulated provider counts, in memory that does not grow with the texts that pass through it."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

MAX_SAMPLES = 2000
_OF_BATCHES = (
    *("submitted", "requests", "succeeded", "errored", "expired", "canceled"),
    *("prompt_tokens", "completion_tokens"),  # of those that succeeded; among the tokens of all calls too
)


class Timeline:
    """Calls in flight over time: their integral, and at most 2,000 samples for a plot."""

    def __init__(self) -> None:
        self.now = self.highest = 0
        self._began = self._changed = time.monotonic()
        self._area = 0.0
        self._interval = 0.005  # seconds; doubles whenever the samples are full
        self._next_sample = 0.0
        self._samples: list[tuple[float, int]] = []

    def change(self, by: int) -> None:
        """Count ``by`` more calls in flight."""
        at = time.monotonic()
        self._area += self.now * (at - self._changed)
        self._changed = at
        self.now += by
        self.highest = max(self.highest, self.now)
        if at >= self._next_sample:
            self._samples.append((round(at - self._began, 4), self.now))
            self._next_sample = at + self._interval
            if len(self._samples) >= MAX_SAMPLES:
                self._samples = self._samples[::2]
                self._interval *= 2

    def restart(self) -> None:
        """Forget the past; what is in flight stays so."""
        now = self.now
        self.__init__()  # type: ignore[misc]
        self.now = self.highest = now

    def as_dict(self) -> dict[str, Any]:
        """Return the figures; times are seconds since the start or the last reset."""
        area = self._area + self.now * (time.monotonic() - self._changed)
        return {
            "in_flight": self.now,
            "max_in_flight": self.highest,
            "in_flight_seconds": round(area, 4),
            "timeline": self._samples,
        }


class Contents:
    """How often each content was asked for and answered, known by its digest."""

    def __init__(self) -> None:
        self._asked: dict[int, int] = {}
        self._answered: dict[int, int] = {}

    def ask(self, content: int) -> int:
        """Count one more question; return how often it was asked before."""
        before = self._asked.get(content, 0)
        self._asked[content] = before + 1
        return before

    def answer(self, content: int) -> None:
        """Count one more answer that must be paid."""
        self._answered[content] = self._answered.get(content, 0) + 1

    def answered(self) -> list[str]:
        """Return every content that was answered, as 16 hexadecimal digits."""
        return [f"{content:016x}" for content in self._answered]

    def figures(self) -> dict[str, Any]:
        """Return distinct contents, and those asked or answered more than once."""
        return {
            "distinct": len(self._asked),
            "asked_again": _repeats(self._asked),
            "repeated": _repeats(self._answered),
        }


def _repeats(times: dict[int, int]) -> dict[str, int]:
    again = [count for count in times.values() if count > 1]
    return {"total": len(again), "max": max(again, default=min(1, len(times)))}


class Counters:
    """All figures of ``/stats``."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.reset()

    def reset(self) -> None:
        """Start again from nothing; what is in flight stays so."""
        self.timeline.restart()
        self.requests = self.completed = self.clients_gone = 0
        self.by_path: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.by_fault: Counter[str] = Counter()
        self.latency = self.served = 0.0
        self.prompt_tokens = self.completion_tokens = 0
        self.keys: set[int] = set()
        self.contents = Contents()
        self.batches = Counter[str]()
        self.batch_contents = Contents()
        self.batch_ids = Contents()

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the texts and keys, which are not kept."""
        return {
            "requests": self.requests,
            "by_path": dict(self.by_path),
            "by_status": {str(status): count for status, count in self.by_status.items()},
            "by_fault": dict(self.by_fault),
            "completed": self.completed,
            "clients_gone": self.clients_gone,
            "latency_sum_s": round(self.latency, 6),
            "served_sum_s": round(self.served, 6),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "keys_seen": len(self.keys),
            **self.contents.figures(),
            **self.timeline.as_dict(),
            "batches": {
                **dict.fromkeys(_OF_BATCHES, 0),
                **self.batches,
                "contents": self.batch_contents.figures(),
                "custom_ids": self.batch_ids.figures(),
            },
        }
