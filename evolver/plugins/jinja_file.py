"""A mutator from a ``.jinja`` file: a prompt with ``{{ instruction }}`` in it, and a small YAML front matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml  # type: ignore[import-untyped]

from evolver.errors import PluginError
from evolver.loading import did_you_mean
from evolver.plugins.authoring import OWN_FAMILY
from evolver.plugins.loaded import LoadedMutator, adapt
from evolver.plugins.protocol import Prompt
from evolver_templates import UserTemplate

_KEYS = ("name", "family", "weight", "version", "markers", "description", "sampling")
_FENCE = "---"


@dataclass(frozen=True, slots=True)
class _FileMutator:
    name: Any
    family: Any
    weight: Any
    version: Any
    markers: Any
    description: str
    sampling: Any
    template: UserTemplate

    def prompt(self, instruction: str, rng: Random) -> Prompt:
        return Prompt(self.template.render(instruction, rng))


def load_jinja(path: Path) -> LoadedMutator:
    """Read a mutator from a ``.jinja`` file.

    Everything in the front matter has a default: the name is the file's, without its ending.

    Raises:
        PluginError: The file cannot be read, its front matter is wrong, or the template uses a name other
            than ``instruction``; the message names the file and the key or line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PluginError(
            f"{path} cannot be read ({error.strerror}); nothing was run. Mend the path, which is taken from the "
            "working directory."
        ) from error
    except UnicodeDecodeError as error:
        raise PluginError(f"{path} is not UTF-8 text; nothing was run. Save it as UTF-8.") from error
    lines = text.split("\n")
    length = _front_matter_length(lines, path)
    given = _front_matter("\n".join(lines[1 : length - 1]), path) if length else {}
    try:
        template = UserTemplate("\n".join(lines[length:]), first_line=length + 1)
    except ValueError as error:
        raise PluginError(f"{path}: {error}; nothing was run. Mend the template.") from error
    mutator = _FileMutator(
        name=given.get("name", path.stem),
        family=given.get("family", OWN_FAMILY),
        weight=given.get("weight", 1),
        version=given.get("version", 1),
        markers=given.get("markers", ()),
        description=str(given.get("description", "")) or f"A prompt from {path.name}.",
        sampling=given.get("sampling", {}),
        template=template,
    )
    return adapt(mutator, str(path), source=text)


def _front_matter_length(lines: list[str], path: Path) -> int:
    """How many lines the front matter takes with its two fences; 0 where there is none."""
    if lines[0].rstrip() != _FENCE:
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == _FENCE:
            return number
    raise PluginError(
        f"{path}: the front matter has no end; nothing was run. Close it with a line of {_FENCE}."
    )


def _front_matter(text: str, path: Path) -> Mapping[str, Any]:
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 2}" if mark else ""
        raise PluginError(
            f"{path}: the front matter is no YAML{where}; nothing was run. Write lines such as 'family: depth'."
        ) from error
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise PluginError(
            f"{path}: the front matter is no list of keys; nothing was run. Write 'family: depth'."
        )
    for key in given:
        if key not in _KEYS:
            raise PluginError(
                f"{path}: the front matter has an unknown key {key!r}; nothing was run."
                f"{did_you_mean(str(key), _KEYS)} The keys are {', '.join(_KEYS)}."
            )
    return given
