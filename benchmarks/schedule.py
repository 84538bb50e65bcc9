"""The best that any scheduler could do with the same latencies: a list schedule, simulated.

A lineage is a chain of calls, each of which can start when the one before it is answered. A slot is taken for one
call; whenever one is free, it goes to the ready chain with the most calls left.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

Chains = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a list schedule went: seconds to the end of the last call, and (second, calls in flight) at each change."""

    seconds: float
    in_flight: list[tuple[float, int]]


def ideal_seconds(chains: Chains, slots: int) -> float:
    """Return the seconds that the calls would take if every slot were busy until the end."""
    return sum(map(sum, chains)) / slots


def list_schedule(chains: Chains, slots: int) -> Schedule:
    """Simulate chains of calls, given by their latencies in seconds, over some slots.

    Ties go to the chain that comes first. Calls of no latency take a slot for no time.
    """
    ready = [(-len(chain), index, 0) for index, chain in enumerate(chains) if chain]
    heapq.heapify(ready)
    running: list[tuple[float, int, int]] = []  # when the call ends, its chain, its place there
    now, in_flight = 0.0, [(0.0, 0)]
    while ready or running:
        while ready and len(running) < slots:
            _, index, step = heapq.heappop(ready)
            heapq.heappush(running, (now + chains[index][step], index, step))
        in_flight.append((now, len(running)))
        now, index, step = heapq.heappop(running)
        if step + 1 < len(chains[index]):
            heapq.heappush(ready, (step + 1 - len(chains[index]), index, step + 1))
    return Schedule(now, [*in_flight, (now, 0)])
