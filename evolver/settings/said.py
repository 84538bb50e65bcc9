"""What was said of a setting and where, before it is checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from evolver.errors import SettingsError, UsageError
from evolver.settings.body import why_no_body
from evolver.settings.definition import Door, Entry
from evolver.settings.fields import entries

PREFIX = "EVOLVE_"
SETTINGS_FILE = "evolve.toml"
_TRUTHS = {"1": True, "true": True, "yes": True, "on": True}
_TRUTHS |= {"0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Said:
    """A value with the place it comes from, in words."""

    value: Any
    where: str
    door: Door


Layer = dict[str, Said]
"""What one source says, by name of setting; ``[evolve]`` in a file is told by names such as ``evolve.model``."""


def flags(given: Mapping[str, Any]) -> Layer:
    """Return what options say."""
    known = {one.name: one.flag for one in entries()}
    flag = {name: known.get(name, f"--{name.replace('_', '-')}") for name in given}
    return {name: Said(value, flag[name], "command line") for name, value in given.items()}


def keywords(given: Mapping[str, Any]) -> Layer:
    """Return what Python code says."""
    return {name: Said(value, f"--{name.replace('_', '-')}", "python") for name, value in given.items()}


def variables() -> Layer:
    """Return what the ``EVOLVE_*`` variables say; a blank one says nothing."""
    return {
        key[len(PREFIX) :].lower(): Said(value, f"the variable {key.upper()}", "variable")
        for key, value in os.environ.items()
        if key.upper().startswith(PREFIX) and value.strip()
    }


def settled(layer: Layer) -> Layer:
    """Return a layer by names of settings alone, its texts read: switches, ``none``, lists and tables.

    Raises:
        SettingsError: A name is unknown or may not stand there, or a value is not what it has to be.
    """
    found: Layer = {}
    switches = {f"no_{one.name}": one for one in entries() if one.switch}
    known = {one.name: one for one in entries()} | {
        f"evolve.{one.base}": one for one in entries() if one.purpose
    }
    for name, said in layer.items():
        if name in switches:
            entry = switches[name]
            if entry.name in layer:
                raise SettingsError(
                    f"{said.where} and {layer[entry.name].where} exclude each other; nothing was started. Keep one."
                )
            found[entry.name] = Said(not _truth(said), said.where, said.door)
        elif name in known and known[name].at(said.door):
            found[name] = Said(_read(known[name], said), said.where, said.door)
        else:
            raise unknown(name, said, [*known, *switches])
    return found


def wrong(said: Said, why: str, choices: Iterable[str] = ()) -> SettingsError:
    """Make the error of a value that cannot be, with the choice that may be meant; on the command line wrong usage."""
    near = get_close_matches(str(said.value), list(choices), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    kind = UsageError if said.door == "command line" else SettingsError
    return kind(f"{said.where} cannot be {said.value!r}: {why}; nothing was started.{hint}")


def unknown(name: str, said: Said, known: Iterable[str]) -> SettingsError:
    """Make the error of a name that is no setting, with the one that may be meant."""
    near = get_close_matches(name, [one for one in known if "." not in one], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else " 'evolve run --help' lists the settings."
    return SettingsError(f"there is no setting {name!r} ({said.where}); nothing was started.{hint}")


def _truth(said: Said) -> bool:
    truth = _TRUTHS.get(str(said.value).strip().lower())
    if truth is None:
        raise wrong(said, "write true or false")
    return truth


def _read(entry: Entry, said: Said) -> Any:
    """Read a text, or the texts of an option that was given again, for what the setting holds."""
    value = said.value
    only = value[0] if entry.many and isinstance(value, list | tuple) and len(value) == 1 else value
    if said.door != "python" and entry.optional and isinstance(only, str) and only.strip().lower() == "none":
        return None
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if entry.many:
        return _items(entry, value)
    if entry.table and value is not None:
        return _checked_body(said, _table(said) if isinstance(value, str) else value)
    return value


def _items(entry: Entry, value: Any) -> Any:
    """Return the items of a list; of an option that was given again, those of each."""
    if isinstance(value, str):
        value = (value,)
    elif not isinstance(value, list | tuple):
        return value
    elif entry.about.split is None or not all(isinstance(one, str) for one in value):
        return tuple(value)
    if entry.about.split is None:
        return tuple(value)
    parts = [part.strip() for one in value for part in one.split(entry.about.split)]
    return tuple(part for part in parts if part or entry.about.keep_blank)


def _table(said: Said) -> dict[str, Any]:
    import json  # few runs give a table as a text

    try:
        table = json.loads(said.value)
    except json.JSONDecodeError as error:
        raise wrong(said, f"that is no JSON ({error.msg} at character {error.pos + 1})") from error
    if not isinstance(table, dict):
        raise wrong(said, 'a JSON object is needed, such as {"top_k": 20}')
    return table


def _checked_body(said: Said, body: Any) -> Any:
    why = why_no_body(body)
    if why is not None:  # the body is not repeated: it may hold a key
        kind = UsageError if said.door == "command line" else SettingsError
        raise kind(f"{said.where} cannot be sent: {why}; nothing was started.")
    return body or None
