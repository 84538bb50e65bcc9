"""Runs end whole whatever the provider does on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from benchmarks.llmsim.process import SimServer
from evolver import Evolution
from evolver.result import Result

Ask = Callable[[str], list[dict[str, Any]]]


class Background:
    """A run in a thread, so that a test can turn the provider's weather meanwhile."""

    def __init__(self, evolution: Evolution) -> None:
        self._outcome: list[Result] = []
        self._thread = threading.Thread(target=lambda: self._outcome.append(evolution.run()))
        self._thread.start()

    def result(self) -> Result:
        self._thread.join()
        assert self._outcome, "the run failed; its error is above"
        return self._outcome[0]


def test_errors_limits_drops_and_broken_bodies_cost_no_attempt_and_leave_no_trace(
    server: SimServer, options: dict[str, Any], ask_store: Ask
) -> None:
    server.configure(rate_500=0.02, rate_429=0.05, retry_after=0.05, rate_drop=0.02, rate_malformed=0.02)

    stats = Evolution(**options).run().stats

    assert (stats.attempts, stats.failed) == (240, 0)
    seen = server.stats()
    assert set(seen["by_fault"]) == {"500", "429", "drop", "malformed"}
    assert seen["repeated"]["total"] == 0  # nothing was paid twice
    survivors = ask_store("SELECT instruction, response FROM survivors WHERE epoch > 0")
    assert len(survivors) == stats.survivors > 200
    for row in survivors:
        for text in (row["instruction"], row["response"]):
            assert text.strip()
            assert "error" not in text.lower()
            assert "rate limit" not in text.lower()


def test_after_a_storm_of_429s_every_attempt_is_made_at_full_concurrency_again(
    server: SimServer, options: dict[str, Any]
) -> None:
    server.configure(latency="constant:0.02", retry_after=0.01)
    run = Background(Evolution(**options))
    server.wait(completed=50)
    server.configure(storm_429=True)
    server.wait(requests=server.stats()["requests"] + 60)
    storm = server.stats()
    server.configure(storm_429=False)
    server.reset()

    stats = run.result().stats

    assert storm["by_status"]["429"] >= 40
    assert (stats.attempts, stats.failed) == (240, 0)
    assert server.stats()["max_in_flight"] == 16
