"""Settings put together: an option wins over a variable, a variable over the file, the file over the default."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evolver.errors import NoPoolError, SettingsError
from evolver.settings.fields import Settings, entries
from evolver.settings.file import find_file
from evolver.settings.said import Layer, Said, flags, keywords, settled, variables, wrong

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


def load_settings(config: str | Path | None = None, **given: Any) -> Settings:
    """Build the settings from what was given, the environment and ``evolve.toml`` in the working directory.

    Args:
        config: Another file than that, which is trusted for being named.
        given: What options say, by name of setting, as texts or values.

    Raises:
        NoPoolError: There is no pool.
        UsageError: An option has a value that cannot be.
        SettingsError: A value of a variable or of the file cannot be, a name is unknown, or the file says what
            counts only once its user trusts it; the message says which and where it stands.
    """
    file = find_file(None if config is None else Path(config))
    merged: Layer = {} if file is None else file.layer()
    for layer in (settled(variables()), settled(flags(given))):
        for name in layer:
            merged.pop(f"evolve.{name}", None)
        merged |= layer
    if file is not None:
        file.take(merged)
    return _made(merged)


def given_settings(**given: Any) -> Settings:
    """Build the settings from what was given alone, as Python code expects.

    Raises:
        SettingsError: A value cannot be, or a name is unknown.
    """
    return _made(settled(keywords(given)))


def _made(said: Layer) -> Settings:
    """Check every value and sort those of a purpose.

    What ``[evolve]`` alone says counts for the other purposes as well, as ``--model`` does.
    """
    for name in [name for name in said if name.startswith("evolve.")]:
        said.setdefault(name.removeprefix("evolve."), said[name])
    checked = _checked({name: one for name, one in said.items() if not name.startswith("evolve.")})
    own = {name: one for name, one in said.items() if name.startswith("evolve.")}
    evolve = _checked({name.removeprefix("evolve."): one for name, one in own.items()}, whole=False)
    by_purpose: dict[str, dict[str, Any]] = {}
    for name, value in evolve.items():
        if value != checked[name]:
            by_purpose.setdefault("evolve", {})[name] = value
    for entry in entries():
        if entry.purpose is not None and entry.name in said:
            value = checked[entry.name]
            # no model of its own is not a model that is called None
            if value is not None or entry.optional:
                by_purpose.setdefault(entry.purpose, {})[entry.base] = value
    plain = {one.name: checked[one.name] for one in entries() if one.purpose is None and one.name in checked}
    return Settings(**plain, by_purpose=by_purpose)


def _checked(said: Layer, *, whole: bool = True) -> dict[str, Any]:
    """Return the values as their types have them; where ``whole``, the pool must be among them."""
    from pydantic import ValidationError as Refused  # help pages are made without it

    values = {name: one.value for name, one in said.items()}
    try:
        model = _model()(**values) if whole else _model()(pool="-", **values)
    except Refused as error:
        raise _explained(error, said) from error
    names = set(type(model).model_fields) if whole else set(said)
    return {name: getattr(model, name) for name in names}


@cache
def _model() -> type[BaseModel]:
    """Make the model of pydantic that checks values."""
    from pydantic import BaseModel, ConfigDict, Field, create_model

    class Checked(BaseModel):
        model_config = ConfigDict(extra="forbid", protected_namespaces=())

    fields: dict[str, Any] = {}
    for one in entries():
        about = one.about
        bounds = {"ge": about.ge, "gt": about.gt, "le": about.le, "lt": about.lt}
        stated: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
        if one.required:
            fields[one.name] = (one.type, Field(min_length=1))
        elif one.purpose is not None:
            fields[one.name] = (one.type | None, Field(default=None, **stated))
        else:
            fields[one.name] = (one.type, Field(default=one.default, **stated))
    return create_model("Checked", __base__=Checked, **fields)


def _explained(error: ValidationError, said: Layer) -> SettingsError:
    first = error.errors()[0]
    name = str(first["loc"][0])
    if first["type"] == "missing":
        return NoPoolError(
            f"--{name} is missing; nothing was started. Name the file of instructions: evolve --pool FILE"
        )
    one = said[name]
    choices = next(entry.choices for entry in entries() if entry.name == name)
    return wrong(Said(first["input"], one.where, one.door), first["msg"].lower(), choices)
