"""The embedded model: deterministic, rule-based, no network, no weights."""

from evolver_offline.model import OfflineModel

__all__ = ["OfflineModel"]
