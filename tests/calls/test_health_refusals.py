"""When a provider that refuses everything as too many is given up."""

from __future__ import annotations

import pytest

from evolver.calls.health import LONGEST_OVERLOAD, LONGEST_REFUSAL, Health
from evolver.errors import TransientModelError


@pytest.mark.parametrize(
    ("kind", "retry_after", "patience"),
    [
        ("rate_limited", None, LONGEST_REFUSAL),
        ("rate_limited", 5.0, LONGEST_OVERLOAD),
        ("overloaded", None, LONGEST_OVERLOAD),
    ],
    ids=["429 without a time", "429 with a time", "short of capacity"],
)
def test_a_refusal_of_all_without_a_time_is_given_up_sooner_than_want_of_capacity(
    kind: str, retry_after: float | None, patience: float
) -> None:
    now = 0.0
    health = Health(lambda: now)
    error = TransientModelError("said", kind, retry_after=retry_after, overload=True)
    health.note_failure()
    now = patience
    assert not health.out_of_patience(99, error)
    now = patience + 1
    assert health.out_of_patience(99, error)
    health.note_answer()
    health.note_failure()
    assert not health.out_of_patience(99, error)
