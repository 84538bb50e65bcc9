"""Which attempt is next."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from evolver.scheduler.frontier import Frontier, Job, content_digest
from evolver_store.schema import place, row_id


def opened(seeds: int, *, epochs: int = 3, attempts: int = 1) -> Frontier:
    frontier = Frontier(1, seeds, epochs=epochs, attempts=attempts)
    frontier.open(pool(seeds))
    return frontier


def pool(seeds: int) -> list[tuple[int, int]]:
    return [(row_id(1, ordinal), content_digest(f"seed {ordinal}")) for ordinal in range(seeds)]


def where(job: Job) -> tuple[int, int, int]:
    return place(job.root_id).ordinal, job.epoch, job.attempt


def test_lineages_with_the_most_calls_left_come_first() -> None:
    frontier = opened(3)
    first, second = frontier.take(2)
    frontier.put_back(first, survived=True)
    frontier.put_back(second, survived=False)
    assert [where(job) for job in frontier.take(9)] == [(2, 1, 1), (0, 2, 1), (1, 2, 1)]


def test_a_survivor_becomes_the_parent_and_a_death_puts_the_old_parent_back() -> None:
    frontier = opened(1)
    (job,) = frontier.take(1)
    assert job.parent_id == job.root_id == row_id(1, 0)
    frontier.put_back(job, survived=True)
    (second,) = frontier.take(1)
    assert second.parent_id == job.id == row_id(1, 0, 1, 1)
    frontier.put_back(second, survived=False)
    (third,) = frontier.take(1)
    assert (third.parent_id, third.epoch) == (job.id, 3)
    frontier.put_back(third, survived=True)
    assert frontier.take(1) == []


def test_a_death_is_tried_again_in_the_same_epoch_while_attempts_are_left() -> None:
    frontier = opened(1, epochs=2, attempts=2)
    seen = []
    for survived in (False, False, True):
        (job,) = frontier.take(1)
        seen.append((job.epoch, job.attempt))
        frontier.put_back(job, survived=survived)
    assert seen == [(1, 1), (1, 2), (2, 1)]
    assert frontier.take(1) == []


def test_places_that_gave_no_seed_get_no_attempt() -> None:
    frontier = Frontier(1, 7, epochs=1)
    frontier.open((row_id(1, ordinal), content_digest(str(ordinal))) for ordinal in (5, 2))
    assert [where(job)[0] for job in frontier.take(9)] == [2, 5]


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(0, 40))
def test_a_run_restored_in_any_order_stands_where_it_stood(seed: int, attempts: int, steps: int) -> None:
    rng = random.Random(seed)
    live, outcomes = opened(4, attempts=attempts), []
    for _ in range(steps):
        for job in live.take(1):
            survived = rng.random() < 0.5
            outcomes.append((job.id, survived))
            live.put_back(job, survived=survived)
    rng.shuffle(outcomes)
    restored = Frontier(1, 4, epochs=3, attempts=attempts)
    for id_, survived in outcomes:
        restored.restore([id_], survived=survived)
    restored.open((id_, root) for id_, root in pool(4) if restored.work_left(id_))
    assert restored.take(9) == live.take(9)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_digest_stands_for_the_text(text: str) -> None:
    assert content_digest(text) == content_digest(text)
    assert content_digest(text) != content_digest(text + "x")
