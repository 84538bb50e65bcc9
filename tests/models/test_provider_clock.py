"""A provider's clock, where ours is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evolver.answers.clock import ProviderClock, date_of
from evolver.answers.failures import retry_after


def test_a_retry_after_date_is_counted_from_the_date_of_the_same_answer() -> None:
    headers = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}

    assert retry_after(headers) == 30.0


def test_a_retry_after_date_without_a_date_is_counted_from_our_clock() -> None:
    then = (datetime.now(UTC) + timedelta(hours=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    wait = retry_after({"retry-after": then})
    assert wait is not None
    assert 3_500 < wait <= 3_600


@pytest.mark.parametrize("hours", [-2, 2], ids=["behind ours", "ahead of ours"])
def test_the_provider_s_clock_is_told_by_its_latest_answer(hours: int) -> None:
    clock = ProviderClock()
    assert clock.ahead == timedelta(0)

    told = datetime.now(UTC) + timedelta(hours=hours)
    clock.hear({"date": told.strftime("%a, %d %b %Y %H:%M:%S GMT")})
    assert abs(clock.now() - told) < timedelta(seconds=60)
    assert abs(clock.ahead - timedelta(hours=hours)) < timedelta(seconds=60)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_a_date_that_cannot_be_read_changes_nothing(date: str | None) -> None:
    clock = ProviderClock()
    clock.hear({} if date is None else {"date": date})

    assert date_of(date) is None
    assert clock.ahead == timedelta(0)
