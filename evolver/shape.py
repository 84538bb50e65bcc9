"""What shapes a run's lineage: the digest that names it, and the comparison that guards a resumed one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from evolver.elimination.rules import RuleSet
from evolver.errors import SettingsError
from evolver.plugins import MutatorSet
from evolver.settings import Settings

Shape = dict[str, Any]

_ASKING = ("temperature", "top_p", "max_tokens", "system", "reasoning_effort", "extra_body")
_SOMETIMES = ("column", "filter", "join", "turns", "asking")
"""Of the shape only where they are set, so a run begun with them has to be looked at for their absence, too."""


def shape_of(
    settings: Settings,
    pool_sha256: str,
    mutators: MutatorSet,
    rules: RuleSet,
    models: Mapping[str, list[str | None]],
) -> Shape:
    """Gather everything that decides which rows a run will hold: not epochs, concurrency or output.

    ``models`` holds, by purpose, what tells one model from another.
    """
    return {
        **_read_otherwise(settings),
        **_asked_otherwise(settings),
        "pool_sha256": pool_sha256,
        "limit": settings.limit,
        "seed": settings.seed,
        "attempts": settings.attempts,
        "mutators": {mutator.name: [mutator.weight, mutator.digest] for mutator in mutators},
        "rules": rules.digest(),
        "judge": settings.judge and rules.judge,
        "models": dict(models),
        "sampling": [settings.temperature, settings.top_p, settings.max_tokens],
    }


def _read_otherwise(settings: Settings) -> Shape:
    """Return how the pool is read where that is not the usual way, so that runs of the usual way keep their names."""
    said = {
        "column": sorted(settings.column),
        "filter": sorted(settings.filter),
        "join": sorted(settings.join),
        "turns": "" if settings.turns == "first" else settings.turns,
    }
    return {name: value for name, value in said.items() if value}


def _asked_otherwise(settings: Settings) -> Shape:
    """Return how a purpose is asked, as far as that is not how all are: nothing for runs that are asked one way."""
    usual = replace(settings, by_purpose={}, system=None, reasoning_effort=None, extra_body=None)
    said: dict[str, dict[str, Any]] = {}
    for purpose in ("evolve", "judge", "answer"):
        now, before = settings.asking(purpose), usual.asking(purpose)
        for name in _ASKING:
            value = getattr(now, name)
            if value != getattr(before, name):
                said.setdefault(purpose, {})[name] = value
    return {"asking": said} if said else {}


def default_name(pool: str, shape: Shape) -> str:
    """Name a run after its pool and the digest of its shape: ``alpaca_2000-1f0c9a3d``."""
    stem = "stdin" if pool == "-" else Path(pool).name.split(".")[0]
    digest = blake2b(json.dumps(shape, sort_keys=True).encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', stem).strip('-') or 'pool'}-{digest}"


def check_same(name: str, stored: Mapping[str, Any], shape: Shape) -> None:
    """Make sure that a run is gone on with as it was begun.

    Raises:
        SettingsError: Something that shapes the lineage differs; the message names it.
    """
    now = json.loads(json.dumps(shape))
    differing = [key for key in {*now, *_SOMETIMES} if stored.get(key) != now.get(key)]
    if differing:
        raise SettingsError(
            f"the run {name!r} was begun with other settings ({', '.join(sorted(differing))}); nothing was done.\n"
            "Give the settings it was begun with, or another name with --run."
        )
