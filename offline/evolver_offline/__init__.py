"""The embedded model: deterministic, rule-based, no network, no weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evolver_offline.model import OfflineModel

__all__ = ["OfflineModel"]


def __getattr__(name: str) -> object:
    """Import the model, and read its lists of words, when it is asked for and not with its record."""
    if name != "OfflineModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from evolver_offline.model import OfflineModel

    return OfflineModel
