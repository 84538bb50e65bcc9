"""What runs in a process of its own: ``python -m benchmarks.child TASK JSON``; prints its figures as JSON.

Figures count from the moment the first call could be made (imports, pool and clients are ready) to the end of the
last write, so that start-up, which a run pays once, does not hide what each call costs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.chains import MODEL
from benchmarks.clients import CLIENTS
from benchmarks.measure import peak_mb


@dataclass(slots=True)
class Clock:
    """Time and CPU time of this process since :meth:`start`."""

    wall: float = 0.0
    cpu: float = 0.0

    def start(self) -> None:
        """Begin to count."""
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def stop(self) -> dict[str, float]:
        """Return seconds and CPU seconds since the start, and the peak memory in MB."""
        return {
            "wall_s": time.monotonic() - self.wall,
            "cpu_s": time.process_time() - self.cpu,
            "peak_mb": peak_mb(),
        }


def evolve(*, way: str, pool: str, store: str, base_url: str | None = None, **options: Any) -> dict[str, Any]:
    """Run evolver; ``way`` is openai, anthropic, langchain (its ChatOpenAI) or offline."""
    from evolver import Evolution
    from evolver.events import AttemptEnded, CallEnded, Event, RunStarted

    clock = Clock()
    counts = {"attempts": 0, "calls": 0, "survivors": 0}

    def heard(event: Event) -> None:
        if isinstance(event, CallEnded):
            counts["calls"] += 1
        elif isinstance(event, AttemptEnded):
            counts["attempts"] += 1
            counts["survivors"] += event.status == "survivor"
        elif isinstance(event, RunStarted):
            clock.start()

    began = time.monotonic()
    model: object = {
        "openai": f"openai:{MODEL}",
        "anthropic": f"anthropic:{MODEL}",
        "offline": "offline",
    }.get(way)
    if way == "langchain":
        from evolver.models.langchain import LangChainModel

        model, base_url = LangChainModel(f"openai:{MODEL}", base_url=base_url), None
    evolution = Evolution(
        pool, model=model, on_event=heard, base_url=base_url, store=store, output=None, **options
    )
    evolution.run()
    figures = clock.stop()
    return {**figures, **counts, "started_s": clock.wall - began}


def bare(*, way: str, prompts: str, base_url: str, concurrency: int) -> dict[str, Any]:
    """Send every body of a file, so many at a time, in one of the ways of ``benchmarks.clients``."""
    bodies = [json.loads(line) for line in Path(prompts).read_text(encoding="utf-8").splitlines()]
    return asyncio.run(_ask_all(way, iter(bodies), base_url, concurrency))


async def _ask_all(
    way: str, bodies: Iterator[dict[str, Any]], base_url: str, concurrency: int
) -> dict[str, Any]:
    ask, close = CLIENTS[way](base_url)
    asked = 0

    async def work() -> None:
        nonlocal asked
        for body in bodies:
            await ask(body)
            asked += 1

    clock = Clock()
    clock.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    figures = clock.stop()
    await close()
    return {**figures, "calls": asked}


_TASKS: dict[str, Callable[..., dict[str, Any]]] = {"evolve": evolve, "bare": bare}


def main() -> None:
    """Run the task that the command line names."""
    task, arguments = sys.argv[1:]
    print(json.dumps(_TASKS[task](**json.loads(arguments))))


if __name__ == "__main__":
    main()
