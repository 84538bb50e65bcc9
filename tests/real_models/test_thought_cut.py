"""A model that is cut while it thinks gets a larger limit, and no attempt dies of it; what that costs is counted."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.llmsim.process import SimServer
from evolver import Evolution


def test_no_attempt_dies_of_thoughts_that_the_limit_cuts(options: dict[str, Any], server: SimServer) -> None:
    server.configure(dialect="vllm-think", rate_think_cut=0.3)

    result = Evolution(**options, price_in=1.0, price_out=2.0, epochs=2, limit=30, confirm=True).run()

    counted = server.stats()
    assert result.stats.eliminated.get("truncated", 0) == 0
    assert result.stats.failed == 0
    assert result.stats.calls == counted["requests"] > 3 * result.stats.survivors
    paid = (counted["prompt_tokens"] + 2 * counted["completion_tokens"]) / 1e6
    assert result.stats.cost_usd == pytest.approx(paid)
