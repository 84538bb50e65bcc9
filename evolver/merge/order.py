"""In which order the rows go out, and which of them where a limit is set."""

from __future__ import annotations

from array import array
from random import Random

from evolver.merge.collect import epoch_of
from evolver.merge.job import MergeSettings


def in_order(keys: array[int], settings: MergeSettings) -> array[int]:
    """Return the keys to write, in the order to write them; ``keys`` are in ascending order.

    Equal keys and settings give an equal result, whatever the database, machine or Python version.
    """
    if settings.order == "shuffle" or (settings.limit is not None and settings.limit < len(keys)):
        chosen = keys[:]
        Random(settings.seed).shuffle(chosen)
        chosen = chosen[: settings.limit]
        if settings.order == "shuffle":
            return chosen
        keys = array("q", sorted(chosen))
    if settings.order == "epoch":
        return array("q", sorted(keys, key=epoch_of))  # stable, so by place within each epoch
    return keys
