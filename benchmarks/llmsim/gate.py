"""Who is let in: keys, credit, storms, and limits on calls a minute and at a time."""

from __future__ import annotations

import time

from benchmarks.llmsim.api import Api, Ask, Problem, Trouble
from benchmarks.llmsim.config import Config
from benchmarks.llmsim.counters import Counters

UNLIMITED = 1_000_000
"""Calls a minute that the headers name where there is no limit."""


class Gate:
    """Admission under one configuration."""

    def __init__(self, config: Config, counters: Counters) -> None:
        self._config = config
        self._counters = counters
        self.limit = config.rpm or UNLIMITED
        self._left = float(self.limit)
        self._filled = time.monotonic()

    @property
    def left(self) -> int:
        """Return how many calls the minute's limit still admits."""
        return int(self._left)

    def account(self, api: Api, key: str) -> Problem | None:
        """Return why the account behind ``key`` is not served at all, if it is not."""
        config = self._config
        self._counters.keys.add(hash(key))
        if config.require_key and key != config.require_key:
            return api.problem("bad_key")
        if config.forbidden:
            return api.problem("forbidden")
        if config.quota_exhausted:
            return api.problem("no_quota")
        if config.storm_429:
            return api.problem("rate_limited")
        return None

    def credit(self) -> Problem | None:
        """Return why nothing is answered any more, once the account is empty; answers in batches count as well."""
        config, counters = self._config, self._counters
        if not 0 <= config.credit_after <= counters.completed + counters.batches["succeeded"]:
            return None
        code = config.credit_code or None
        return Problem(config.credit_status, config.credit_kind, config.credit_words, code)

    def limits(self, api: Api) -> Problem | None:
        """Return why one call more is too much, if it is; a call let in counts against the minute."""
        if 0 < self._config.max_in_flight <= self._counters.timeline.now:
            return api.problem("rate_limited", "Too many requests at a time.")
        if self._config.rpm:
            now = time.monotonic()
            self._left = min(self.limit, self._left + (now - self._filled) * self.limit / 60)
            self._filled = now
            if self._left < 1:
                return api.problem("rate_limited")
            self._left -= 1
        return None

    def content(self, api: Api, ask: Ask) -> Problem | None:
        """Return why this very question is never answered, if it is not."""
        trouble: Trouble | None = None
        if self._config.policy_phrase and self._config.policy_phrase in ask.prompt:
            trouble = "policy"
        elif self._config.refuse_phrase and self._config.refuse_phrase in ask.prompt:
            trouble = "invalid"
        elif 0 < self._config.max_prompt_tokens < ask.prompt_tokens:
            trouble = "too_long"
        return api.problem(trouble) if trouble else None
