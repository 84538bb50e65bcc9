"""A provider's clock: what it dates, such as batches and the end of a wait, is compared with its own time, not ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime


class ProviderClock:
    """How far a provider's clock is from this machine's, by the ``Date`` of its latest answer.

    A machine whose clock was set wrong, or is put right between two sessions, finds what the provider has all the same.
    """

    def __init__(self) -> None:
        self._date: str | None = None
        self._heard = 0.0

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers (names in any case); cheap enough for every call."""
        date = headers.get("date")
        if date is not None:
            self._date, self._heard = date, time.time()

    @property
    def ahead(self) -> timedelta:
        """How far the provider's clock is ahead of ours; nothing while it has told no time that can be read."""
        told = date_of(self._date)
        return timedelta(0) if told is None else told - datetime.fromtimestamp(self._heard, UTC)

    def now(self) -> datetime:
        """Return what the provider's clock shows, to a second or so."""
        return datetime.now(UTC) + self.ahead


def date_of(text: str | None) -> datetime | None:
    """Read an HTTP date; ``None`` where it is none. One without a zone is in UTC, as HTTP has it."""
    try:
        told = parsedate_to_datetime(text) if text is not None else None
        if told is None:
            return None
        return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one of a year or a zone that there is not
        return None
