"""How many calls may be in flight with the files that a process may have open: each takes a connection."""

from __future__ import annotations

import sys

_OTHERS = 40  # files besides connections: the store and what lies beside it, pool, output, templates, the event loop


def slots_that_fit(wanted: int) -> int:
    """Return how many of ``wanted`` calls can be in flight at a time, at least 1.

    The soft limit of open files (256 on macOS, 1,024 on most Linux systems) is raised as far as that takes and the
    system lets it. Without one, such as on Windows, all fit.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if most > soft:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):  # the kernel's own bound is lower than the hard limit it tells
            most = soft
    return max(1, min(wanted, max(soft, most) - _OTHERS))
