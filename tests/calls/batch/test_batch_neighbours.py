"""Batches beside other runs of the same store, and at providers whose clock is not ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from evolver.errors import StoppedError
from evolver.events import BatchProgress, Event
from evolver_store.connect import open_for_writing, store_url

BOTH = pytest.mark.parametrize("provider", ["openai", "anthropic"])


def stop_when_in_flight(runner: Any, store: str, provider: str, run: str) -> None:
    """Run until a batch is in flight, then stop as Ctrl-C does."""
    runner.sim.configure(batch_hold=True)
    evolution: Any = None

    def listen(event: Event) -> None:
        if isinstance(event, BatchProgress) and event.batches:
            evolution.stop()

    evolution = runner.make(store, provider, listen, run=run, epochs=1)
    with pytest.raises(StoppedError):
        evolution.run()


def lose_the_acknowledgement(runner: Any, store: str) -> None:
    """Leave the store as a process leaves it that died between a submission and the answer to it."""
    engine = open_for_writing(store_url(str(runner.folder / store)))
    with engine.begin() as conn:
        conn.execute(text("UPDATE batches SET provider_id = NULL, status = 'intended', submitted_at = NULL"))
    engine.dispose()


@BOTH
@pytest.mark.parametrize("ahead", [7_200.0, -7_200.0], ids=["behind the provider", "ahead of the provider"])
def test_a_batch_is_found_again_with_a_clock_two_hours(runner: Any, provider: str, ahead: float) -> None:
    runner.sim.configure(clock_ahead=ahead)
    stop_when_in_flight(runner, "clock.db", provider, "r")
    lose_the_acknowledgement(runner, "clock.db")
    made = runner.ask("clock.db", "SELECT created_at FROM batches")[0]["created_at"]
    runner.sim.configure(batch_hold=False)
    runner.run("clock.db", provider, epochs=1)

    theirs = datetime.now(UTC) + timedelta(seconds=ahead)
    assert abs(datetime.fromisoformat(made).replace(tzinfo=UTC) - theirs) < timedelta(minutes=10)
    assert runner.batches()["custom_ids"]["asked_again"]["total"] == 0


@BOTH
@pytest.mark.parametrize("lost", [False, True], ids=["submitted", "intended"])
def test_a_second_run_leaves_the_batches_of_the_first_alone(runner: Any, provider: str, lost: bool) -> None:
    stop_when_in_flight(runner, "two.db", provider, "first")
    if lost:
        lose_the_acknowledgement(runner, "two.db")
    before = runner.ask("two.db", "SELECT * FROM batches ORDER BY key")
    runner.sim.configure(batch_hold=False)
    first_pool = runner.pool.read_text(encoding="utf-8")
    runner.pool.write_text(first_pool.replace("Explain why", "Tell how"), encoding="utf-8")
    runner.run("two.db", provider, run="second", epochs=1)

    kept = {row["key"]: row for row in runner.ask("two.db", "SELECT * FROM batches")}
    assert [kept[row["key"]] for row in before] == before
    runner.pool.write_text(first_pool, encoding="utf-8")
    runner.run("two.db", provider, run="first", epochs=1)
    assert runner.batches()["custom_ids"]["asked_again"]["total"] == 0
    ended = runner.ask("two.db", "SELECT status FROM batches")
    assert {row["status"] for row in ended} == {"ended"}
