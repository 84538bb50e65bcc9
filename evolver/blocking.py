"""Run a coroutine from ordinary code: in a script, or inside the running event loop of a notebook."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from evolver.interrupts import interruptible

_T = TypeVar("_T")


def run_blocking(work: Callable[[], Coroutine[Any, Any, _T]], stop: Callable[[], None]) -> _T:
    """Run ``work`` to its end and return its result; Ctrl-C calls ``stop`` and lets what is in flight finish.

    Raises:
        StoppedError: Somebody pressed Ctrl-C twice.
        Exception: Whatever ``work`` raises.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(interruptible(work(), stop))
    return _in_thread(work, stop)


def _in_thread(work: Callable[[], Coroutine[Any, Any, _T]], stop: Callable[[], None]) -> _T:
    """Run in a thread with an event loop of its own; Ctrl-C in the caller's stops the work cleanly."""
    outcome: list[_T] = []
    error: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(work()))
        except BaseException as problem:  # noqa: BLE001 - handed to the caller's thread, which raises it
            error.append(problem)

    thread = threading.Thread(target=run, name="evolver-run")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        stop()
        thread.join()
    if error:
        raise error[0]
    return outcome[0]
