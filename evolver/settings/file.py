"""``evolve.toml``: the keys that stand above its tables, one table for each purpose, and what of it counts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evolver.errors import SettingsError
from evolver.settings.definition import PURPOSES, Entry
from evolver.settings.fields import entries
from evolver.settings.risks import is_risky, refusal, shown
from evolver.settings.said import SETTINGS_FILE, Layer, Said, settled, unknown
from evolver.settings.trust import is_trusted

TABLES = ("evolve", *PURPOSES)


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file as it was read: its path and bytes, what it says, and whether all of that counts."""

    path: Path
    raw: bytes
    content: dict[str, Any]
    trusted: bool

    def layer(self) -> Layer:
        """Return what it says, by name of setting.

        Raises:
            SettingsError: A name is no setting, or a value cannot be read.
        """
        return settled(_flat(self.content, str(self.path)))

    def take(self, merged: Layer) -> None:
        """Tell on stderr, whatever is quiet, which of the values that count are from this file.

        Raises:
            SettingsError: One of them counts only from a file that is trusted, and this one is not.
        """
        named = {one.name: one for one in entries()}
        taken = {name: said for name, said in merged.items() if said.door == "file"}
        if not self.trusted:
            pairs = [(_entry(named, name), said) for name, said in taken.items()]
            risky = [(one, said) for one, said in pairs if is_risky(one, said.value, self.path.parent)]
            if risky:
                raise refusal(risky, self.path)
        if taken:
            words = ", ".join(f"{name} = {shown(said.value)}" for name, said in taken.items())
            print(f"From {self.path}: {words}", file=sys.stderr)


def find_file(config: Path | None = None) -> SettingsFile | None:
    """Read the file that was named, else ``evolve.toml`` of the working directory if it is there.

    Raises:
        SettingsError: It cannot be read.
    """
    path = config or Path(SETTINGS_FILE)
    if config is None and not path.is_file():
        return None
    import tomllib  # most runs have no such file

    try:
        content = path.read_bytes()  # once: what is trusted is what is read
        parsed = tomllib.loads(content.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"{path} cannot be read: {why}; nothing was started. Mend or remove that file."
        ) from error
    return SettingsFile(path, content, parsed, config is not None or is_trusted(path, content))


def store_from_file() -> str | None:
    """Return the store that ``evolve.toml`` names, as commands want it that read nothing else of it.

    Raises:
        SettingsError: It cannot be read, or names a store that counts only from a trusted file.
    """
    file = find_file()
    if file is None or "store" not in file.content:
        return None
    said = Said(str(file.content["store"]), f"'store' in {file.path}", "file")
    file.take({"store": said})
    return str(said.value)


def _entry(named: dict[str, Entry], name: str) -> Entry:
    return named[name.removeprefix("evolve.")]


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
