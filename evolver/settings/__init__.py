"""The settings of a run: what each is, where it may be given, and how they are put together.

The names below are loaded when they are first used, so that a help page is made from the definition alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evolver.settings.asking import Asking
    from evolver.settings.choices import FORMATS, AnswerSeeds, BatchFallback, Format
    from evolver.settings.fields import Settings
    from evolver.settings.load import given_settings, load_settings
    from evolver.settings.options import Options

_HOMES = {
    "FORMATS": "choices",
    "AnswerSeeds": "choices",
    "Asking": "asking",
    "BatchFallback": "choices",
    "Format": "choices",
    "Options": "options",
    "Settings": "fields",
    "given_settings": "load",
    "load_settings": "load",
}

__all__ = [
    "FORMATS",
    "AnswerSeeds",
    "Asking",
    "BatchFallback",
    "Format",
    "Options",
    "Settings",
    "given_settings",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    """Load a name where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'evolver.settings' has no attribute {name!r}")
    return getattr(import_module(f"evolver.settings.{_HOMES[name]}"), name)
