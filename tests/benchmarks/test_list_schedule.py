"""The schedule that a run is compared with."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.schedule import ideal_seconds, list_schedule

chains_of_calls = st.lists(st.lists(st.floats(0, 10), max_size=6), max_size=12)


def test_one_slot_takes_as_long_as_all_calls_together() -> None:
    assert list_schedule([[1.0, 2.0], [3.0]], 1).seconds == 6.0


def test_more_slots_than_lineages_take_as_long_as_the_longest_lineage() -> None:
    assert list_schedule([[1.0, 2.0], [4.0], []], 10).seconds == 4.0


def test_calls_of_one_lineage_never_overlap() -> None:
    assert list_schedule([[1.0] * 5], 8).seconds == 5.0


def test_a_free_slot_goes_to_the_lineage_with_the_most_calls_left() -> None:
    # Shortest first would leave the lineage of three for the end, alone: 4 seconds.
    assert list_schedule([[1.0], [1.0], [1.0, 1.0, 1.0]], 2).seconds == 3.0


def test_a_slot_is_held_for_a_call_and_not_for_a_lineage() -> None:
    # Held for a lineage, two slots would take 4 + 4 seconds for three lineages of four calls.
    assert list_schedule([[1.0] * 4] * 3, 2).seconds == 6.0


def test_the_curve_tells_how_many_calls_were_in_flight_and_ends_at_none() -> None:
    schedule = list_schedule([[1.0, 1.0], [1.0]], 2)

    assert schedule.in_flight[1] == (0.0, 2)
    assert schedule.in_flight[-1] == (2.0, 0)


@given(chains_of_calls, st.integers(1, 8))
@example([], 1)
@example([[0.0]], 1)
def test_a_schedule_is_within_the_bounds_that_any_list_schedule_has(
    chains: list[list[float]], slots: int
) -> None:
    seconds = list_schedule(chains, slots).seconds
    longest = max(map(sum, chains), default=0.0)

    assert seconds >= max(ideal_seconds(chains, slots), longest) * (1 - 1e-9)
    assert seconds <= (ideal_seconds(chains, slots) + longest) * (1 + 1e-9)  # Graham's bound for chains


@given(chains_of_calls, st.integers(1, 8))
def test_no_more_calls_are_in_flight_than_there_are_slots(chains: list[list[float]], slots: int) -> None:
    assert max(calls for _, calls in list_schedule(chains, slots).in_flight) <= slots
