"""Who writes the answers, by name."""

from __future__ import annotations

from benchmarks.llmsim.texts import Writer, echo, simple


def writer(style: str) -> Writer:
    """Return the function that answers in ``style``: simple, echo or offline."""
    if style == "offline":
        from benchmarks.llmsim.embedded import offline  # imports evolver, which the other styles do not need

        return offline
    return {"simple": simple, "echo": echo}[style]
