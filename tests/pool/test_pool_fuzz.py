"""Broken pools are read or refused with one sentence; EVOLVER_FUZZ_POOLS says how many, as the script's --pools."""

from __future__ import annotations

import os
from pathlib import Path

from scripts.fuzz_pools import outcomes

POOLS = int(os.environ.get("EVOLVER_FUZZ_POOLS", "150"))


def test_broken_pools_are_read_or_refused_with_one_sentence(tmp_path: Path) -> None:
    found = [
        (number, what) for number, what in outcomes(POOLS, 0, tmp_path) if what not in ("read", "refused")
    ]

    assert found == []
