"""How Python runs while a run does: what is changed for the whole process, and put back at the end."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_COLLECT_EVERY = 10_000  # objects made and not yet freed; Python's own 700 is reached by a handful of calls
_SWITCH_S = 0.0002
"""The writer's thread asks for the interpreter at every row, and paid calls must not wait for it: decision 0060."""


class _Tuning:
    """Changed by the first run of the process that needs it, put back by the last one that ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = self._paid = 0
        self._switch_s = 0.0
        self._thresholds = (0, 0, 0)
        self._froze = False

    def begin(self, paid: bool) -> None:
        with self._lock:
            self._runs += 1
            self._paid += paid
            if self._runs == 1:
                self._thresholds = gc.get_threshold()
                if self._thresholds[0]:  # 0 is how a program turns collecting off
                    gc.set_threshold(max(_COLLECT_EVERY, self._thresholds[0]), *self._thresholds[1:])
                self._froze = gc.get_freeze_count() == 0
                if self._froze:
                    gc.freeze()
            if paid and self._paid == 1:
                self._switch_s = sys.getswitchinterval()
                sys.setswitchinterval(min(self._switch_s, _SWITCH_S))

    def end(self, paid: bool) -> None:
        with self._lock:
            self._runs -= 1
            self._paid -= paid
            if paid and self._paid == 0:
                sys.setswitchinterval(self._switch_s)
            if self._runs == 0:
                gc.set_threshold(*self._thresholds)
                if self._froze:
                    gc.unfreeze()


_tuning = _Tuning()


@contextmanager
def tuned(*, paid: bool) -> Iterator[None]:
    """Let the writer have its turns soon, and call the garbage collector less often and not to what is there to stay.

    What the imports left behind (some 300,000 objects) is looked through again and again otherwise, and the objects
    of calls in flight at every few calls: a tenth of a run's CPU. A run whose calls cost nothing (``paid`` is false)
    has nothing to bring to the disk in a hurry; it keeps Python's own switch interval. The settings
    are the process's; they are as they were when the last run has ended. A program that has frozen objects or turned
    collecting off keeps it so.
    """
    _tuning.begin(paid)
    try:
        yield
    finally:
        _tuning.end(paid)
