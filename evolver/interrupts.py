"""What Ctrl-C does while a run goes on: the first one stops it cleanly, the second one ends at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from evolver.errors import StoppedError

_T = TypeVar("_T")


async def interruptible(work: Coroutine[Any, Any, _T], stop: Callable[[], None]) -> _T:
    """Await ``work``; Ctrl-C or SIGTERM calls ``stop``, and a second one cancels it.

    Outside the main thread, where signals do not come, it is only awaited.

    Raises:
        StoppedError: Somebody pressed Ctrl-C twice.
    """
    task = asyncio.ensure_future(work)
    presses = 0

    def press() -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            stop()
        else:
            task.cancel()

    with _heard(press):
        try:
            return await task
        except asyncio.CancelledError as error:
            if presses < 2:
                task.cancel()
                raise
            raise StoppedError(
                "interrupted twice; calls in flight were let go, what was answered before is stored."
            ) from error


@contextmanager
def _heard(press: Callable[[], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        for number in numbers:
            loop.add_signal_handler(number, press)
        by_loop = True
    except NotImplementedError:  # the event loops of Windows have no signals
        by_loop = False
        for number in numbers:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(press))
    try:
        yield
    finally:
        for number in numbers:
            if by_loop:
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])
