"""``evolve.toml``: the keys that stand above its tables, and one table for each purpose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evolver.errors import SettingsError
from evolver.settings.definition import PURPOSES
from evolver.settings.fields import entries
from evolver.settings.said import SETTINGS_FILE, Layer, Said, settled, unknown

TABLES = ("evolve", *PURPOSES)


def read_file(config: Path | None = None) -> Layer:
    """Return what the settings file says; one that is not there says nothing, unless it was named.

    Raises:
        SettingsError: It cannot be read, or says something that is no setting.
    """
    path = config or Path(SETTINGS_FILE)
    if config is None and not path.is_file():
        return {}
    return settled(_flat(_parsed(path), path.name if config is None else str(path)))


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib  # most runs have no such file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"{path} cannot be read: {why}; nothing was started. Mend or remove that file."
        ) from error


def _flat(content: dict[str, Any], file: str) -> Layer:
    """Name what stands in a table as its setting is named: ``model`` of ``[judge]`` is ``judge_model``."""
    found: Layer = {}
    for name, value in content.items():
        if name not in TABLES or not isinstance(value, dict):
            found[name] = Said(value, f"{name!r} in {file}", "file")
            continue
        bases = [one.base for one in entries() if one.purpose == PURPOSES[0]]
        for key, inner in value.items():
            said = Said(inner, f"{key!r} of [{name}] in {file}", "file")
            if key not in bases:
                raise unknown(key, said, bases)
            full = f"evolve.{key}" if name == "evolve" else f"{name}_{key}"
            if full in content:
                raise SettingsError(
                    f"{full!r} and {said.where} are the same setting; nothing was started. Keep one."
                )
            found[full] = said
    return found
