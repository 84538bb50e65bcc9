"""Which rows go out where a limit or a ratio is set, and in which order."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from random import Random

from evolver.errors import SettingsError
from evolver.merge.collect import epoch_of, split_key
from evolver.merge.job import Kind, MergeSettings


def in_order(keys: array[int], settings: MergeSettings) -> array[int]:
    """Return the keys to write, in the order to write them; ``keys`` are in ascending order.

    Equal keys and settings give an equal result, whatever the database, machine or Python version.
    """
    if settings.order == "shuffle" or (settings.limit is not None and settings.limit < len(keys)):
        chosen = _shuffled(keys, settings.seed)[: settings.limit]
        if settings.order == "shuffle":
            return chosen
        keys = array("q", sorted(chosen))
    if settings.order == "epoch":
        return array("q", sorted(keys, key=epoch_of))  # stable, so by place within each epoch
    return keys


def in_ratio(keys: array[int], kinds: Sequence[Kind], settings: MergeSettings) -> array[int]:
    """Return, in ascending order, a draw of ``keys`` in the shares of ``settings.ratio``, or all without one.

    The draw is the largest there can be, or of ``settings.limit`` rows; within a kind, each row is equally likely.

    Args:
        keys: In ascending order.
        kinds: What each source holds.
        settings: Whose seed decides.

    Raises:
        SettingsError: The ratio leaves out a kind that has rows, or names one that has none.
    """
    if settings.ratio is None:
        return keys
    groups: dict[Kind, array[int]] = {}
    for key in keys:
        groups.setdefault(kinds[split_key(key)[0]], array("q")).append(key)
    if groups.keys() != settings.ratio.keys():
        raise SettingsError(
            f"the ratio weighs {' and '.join(settings.ratio)}, and there are rows of {' and '.join(groups)}; "
            "nothing was written. Give every kind that has rows its share, and no other."
        )
    sizes = {kind: len(group) for kind, group in groups.items()}
    chosen = array("q")
    for kind, size in _sizes(sizes, settings.ratio, settings.limit).items():
        chosen.extend(_shuffled(groups[kind], f"{settings.seed} {kind}")[:size])
    return array("q", sorted(chosen))


def _sizes(there: Mapping[Kind, int], ratio: Mapping[Kind, float], limit: int | None) -> dict[Kind, int]:
    """Return how many rows of each kind: shares of the whole, rounded so that they sum to it."""
    shares = {kind: weight / sum(ratio.values()) for kind, weight in ratio.items()}
    whole = int(min(there[kind] / share for kind, share in shares.items()) + 1e-9)
    whole = whole if limit is None else min(whole, limit)
    sizes = {kind: int(whole * share) for kind, share in shares.items()}
    by_remainder = sorted(shares, key=lambda kind: sizes[kind] - whole * shares[kind])
    for kind in by_remainder[: whole - sum(sizes.values())]:
        sizes[kind] = min(sizes[kind] + 1, there[kind])
    return sizes


def _shuffled(keys: array[int], seed: int | str) -> array[int]:
    shuffled = keys[:]
    Random(seed).shuffle(shuffled)
    return shuffled
