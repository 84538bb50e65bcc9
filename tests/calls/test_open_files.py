"""Calls in flight where few files may be open; in processes of their own, whose limits can be lowered."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files to lower")

_ASK = """
import resource, sys
soft, hard, wanted = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
from evolver.calls.files import slots_that_fit
print(slots_that_fit(wanted), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def asked(soft: int, hard: int, wanted: int) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(soft), str(hard), str(wanted)],
        capture_output=True,
        text=True,
        check=True,
    )
    slots, limit = done.stdout.split()
    return int(slots), int(limit)


def test_a_soft_limit_is_raised_as_far_as_the_calls_take() -> None:
    assert asked(256, 4_000, 600) == (600, 640)


def test_no_more_calls_are_in_flight_than_the_hard_limit_lets() -> None:
    assert asked(256, 256, 600) == (216, 256)
    assert asked(64, 64, 64) == (24, 64)


def test_a_limit_that_is_high_enough_stays() -> None:
    assert asked(1_024, 4_000, 64) == (64, 1_024)


def test_one_call_at_least_is_made() -> None:
    assert asked(40, 40, 8) == (1, 40)
