"""What a run was begun with, in words and figures by which a person tells runs apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evolver_store.runs import Run

_SAMPLING = ("temperature", "top_p", "max_tokens")
_ITS_OWN = {
    "run",
    "output",
    "store",
    "yes",
    "quiet",
    "shape",
    "epochs",
    "pool",
    "model",
    "unanswered",
    *_SAMPLING,
}
"""Settings that name a run, that do not shape it, or that stand among the described ones."""

Described = dict[str, Any]
"""Values by the name of a setting; plain, so that they can be compared and written as JSON."""


def described(run: Run) -> Described:
    """Return what shapes a run: pool, seed, mutators with their weights, rules, models, sampling, epochs."""
    shape = run.settings.get("shape", {})
    found: Described = {"pool": run.pool, "model": run.model, "seed": run.seed, "epochs": run.epochs}
    for name, value in sorted(shape.items()):  # databases keep the keys of JSON in orders of their own
        if name == "mutators" and isinstance(value, Mapping):
            found[name] = {
                each: told[0] if isinstance(told, list) else told for each, told in sorted(value.items())
            }
        elif name == "models" and isinstance(value, Mapping):
            found |= {f"{purpose}_model": _model(told) for purpose, told in value.items()}
        elif name == "sampling" and isinstance(value, list):
            found |= dict(zip(_SAMPLING, value, strict=False))
        elif name == "asking" and isinstance(value, Mapping):
            found |= {f"{purpose}_{each}": it for purpose, own in value.items() for each, it in own.items()}
        elif name not in ("pool_sha256", "seed"):
            found[name] = value
    if found.get("pool") is not None and "pool_sha256" in shape:
        found["pool_sha256"] = shape["pool_sha256"]
    return found


def differing(first: Run, second: Run) -> dict[str, tuple[Any, Any]]:
    """Return every setting in which two runs differ, those that shape the lineage first."""
    one, other = described(first), described(second)
    found = {
        name: (one.get(name), other.get(name))
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    }
    for name in {**first.settings, **second.settings}:
        if name in _ITS_OWN or name in one or name in other:
            continue
        pair = first.settings.get(name), second.settings.get(name)
        if pair[0] != pair[1]:
            found[name] = pair
    return found


def telling(runs: Sequence[Described]) -> list[str]:
    """Name the settings that are not the same in all of these runs, in the order in which they are described."""
    names = dict.fromkeys(name for run in runs for name in run)
    return [name for name in names if any(run.get(name) != runs[0].get(name) for run in runs)]


def in_words(name: str, value: Any) -> str:
    """Write a setting and its value: ``seed 7``, ``mutators deepen=2, breadth=1``, ``no limit``."""
    if value is None or value is False:
        return f"no {name}"
    return name if value is True else f"{name} {shown(value)}"


def shown(value: Any) -> str:
    """Write the value of a setting; digests are cut to eight characters."""
    if isinstance(value, Mapping):
        return ", ".join(f"{each}={_number(weight)}" for each, weight in value.items())
    if isinstance(value, str):
        return value[:8] if len(value) == 64 and set(value) <= set("0123456789abcdef") else value
    if isinstance(value, Iterable):
        return ", ".join(map(shown, value))
    return "" if value is None else _number(value)


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _model(told: Any) -> Any:
    if not isinstance(told, list):
        return told
    return " ".join(str(part) for part in told if part)
