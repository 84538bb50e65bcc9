"""What a settings file says that counts only if its user trusts it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from evolver.errors import SettingsError
from evolver.settings.definition import Entry
from evolver.settings.said import PREFIX, Said
from evolver.text import one_line, without_passwords

_SHOWN = 120  # characters of a value


def is_risky(entry: Entry, value: Any, folder: Path) -> bool:
    """Tell whether a value could send, execute, answer for the user, or leave ``folder``."""
    risk = entry.about.risk
    if risk is None or value is None or value == entry.default:
        return False
    if risk == "executes":
        return any(_is_code(str(one)) for one in value) if isinstance(value, list | tuple) else True
    if risk in ("reads", "writes"):
        return value != "-" and _is_outside(str(value), folder)
    return risk != "bounds" or not (sys.stdin.isatty() and sys.stderr.isatty())


def refusal(found: Iterable[tuple[Entry, Said]], path: Path) -> SettingsError:
    """Make the error of what an untrusted file says: one sentence, and what to give instead."""
    pairs = [(entry, said) for entry, said in found]
    names = ", ".join(entry.name for entry, _ in pairs)
    instead = " ".join(_given_by_hand(entry, said.value) for entry, said in pairs)
    return SettingsError(
        f"{path} is not trusted, and it sets {names}, which could send, run, pay or reach outside its folder in your "
        f"place; nothing was done. Give it yourself ({instead}), or read the file and run: evolve trust "
        f"{shlex.quote(str(path))}"
    )


def shown(value: Any) -> str:
    """Return a value in one harmless line, without a password in a URL."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = one_line(without_passwords(text))
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _given_by_hand(entry: Entry, value: Any) -> str:
    if not entry.at("command line"):
        return f"{PREFIX}{entry.name.upper()}={shlex.quote(shown(value))}"
    return entry.flag if entry.switch else f"{entry.flag} {shlex.quote(shown(value))}"


def _is_code(name: str) -> bool:
    """Tell a mutator or rule of a file or a module from the name of one that is installed."""
    return any(sign in name for sign in (":", "/", "\\")) or name.partition("=")[0].strip().endswith(
        (".jinja", ".py")
    )


def _is_outside(name: str, folder: Path) -> bool:
    """Tell whether a file lies outside a folder, links followed; what has a scheme lies nowhere."""
    if name.startswith("sqlite:///"):
        name = name.removeprefix("sqlite:///")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name):
        return True
    root = folder.resolve()
    return not (root / Path(name).expanduser()).resolve().is_relative_to(root)
