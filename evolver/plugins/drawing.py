"""How a mutator's rewrites are drawn, where it says so itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from evolver.errors import PluginError
from evolver.loading import did_you_mean

_MOST: Final = {"temperature": 2.0, "top_p": 1.0, "frequency_penalty": 2.0}
_NAMES: Final = (*_MOST, "max_tokens")


def own_sampling(value: object, owner: str) -> dict[str, Any]:
    """Return what a mutator replaces of the run's sampling; ``None`` leaves a parameter to the provider.

    Raises:
        PluginError: A parameter is none, or has a value that cannot be; ``owner`` is named.
    """
    if not isinstance(value, Mapping):
        raise PluginError(
            f"{owner}: the sampling {value!r} is no table; nothing was run. Write parameters by their names, as in "
            '{"temperature": 0.7}.'
        )
    for name, one in value.items():
        if name not in _NAMES:
            raise PluginError(
                f"{owner}: the sampling has an unknown parameter {name!r}; nothing was run."
                f"{did_you_mean(str(name), _NAMES)} Parameters are {', '.join(_NAMES)}."
            )
        if not _can_be(name, one):
            raise PluginError(f"{owner}: {name} cannot be {one!r}; nothing was run. Mend its sampling.")
    return dict(value)


def _can_be(name: str, value: object) -> bool:
    if name == "max_tokens":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value is None:
        return True
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return False
    least = -_MOST[name] if name == "frequency_penalty" else 0.0
    return least <= value <= _MOST[name] and (name != "top_p" or value > 0)
