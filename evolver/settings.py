"""Every setting of a run in one validated object: from flags, ``EVOLVE_*`` variables and ``evolve.toml``.

A flag wins over a variable, a variable over the file, the file over the default.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from evolver.errors import SettingsError, UsageError

SETTINGS_FILE = "evolve.toml"
PREFIX = "EVOLVE_"
_TRUTHS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}
Format = Literal["wizardcoder", "alpaca", "text", "messages", "sharegpt", "prompt-completion"]
BatchFallback = Literal["none", "live"]
AnswerSeeds = Literal["none", "missing", "all"]
Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseModel):
    """What a run is to do. Field names are those of the flags, with ``_`` for ``-``."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    pool: Annotated[str, Field(min_length=1)]
    epochs: Annotated[int, Field(ge=0, le=63)] = 4
    model: str = "offline"
    base_url: str | None = None
    judge_model: str | None = None
    answer_model: str | None = None
    judge: bool = True
    preset: str = "wizardlm"
    mutators: Names = ()
    rules: Names = ()
    skip_rules: Names = ()
    refusal_phrases: Names = ()
    store: str = "evolve.db"
    run: str | None = None
    output: str | None = "evolved.jsonl"
    format: Format = "wizardcoder"
    attempts: Annotated[int, Field(ge=1, le=63)] = 1
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1)] | None = None
    strict: bool = False
    answer_seeds: AnswerSeeds = "none"
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1.0
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 0.9
    max_tokens: Annotated[int, Field(ge=1)] = 2048
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 64
    rpm: Annotated[int, Field(ge=1)] | None = None
    tpm: Annotated[int, Field(ge=1)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 300.0
    max_cost: Annotated[float, Field(gt=0)] | None = None
    price_in: Annotated[float, Field(ge=0)] | None = None
    price_out: Annotated[float, Field(ge=0)] | None = None
    cache: bool = True
    batch: bool = False
    batch_fallback: BatchFallback = "none"
    batch_min: Annotated[int, Field(ge=1)] = 20
    batch_poll: Annotated[float, Field(gt=0)] | None = None
    batch_window: Annotated[int, Field(ge=64)] = 20_000
    yes: bool = False
    quiet: bool = False

    @field_validator("pool", "store", "output", mode="before")
    @classmethod
    def _path(cls, value: Any) -> Any:
        """Take a path object for its text."""
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    @field_validator("rules", "skip_rules", "refusal_phrases", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Take ``a,b`` from a flag or a variable as well as a list from the file."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("mutators", mode="before")
    @classmethod
    def _split_mutators(cls, value: Any) -> Any:
        """Keep empty places: a list of nothing else must not pass for none, which means the preset."""
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


class _EverySource(BaseSettings, Settings):
    """The settings of the command line, with what the environment and the file say."""

    model_config = SettingsConfigDict(extra="forbid")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read flags, then variables, then the file; no ``.env``, no secrets folder.

        Variables are read here because pydantic's own source passes over those it does not know.
        """
        file = _without_no(TomlConfigSettingsSource(settings_cls, SETTINGS_FILE)())
        return (
            init_settings,
            InitSettingsSource(settings_cls, _without_no(_variables())),
            InitSettingsSource(settings_cls, file),
        )


def _variables() -> dict[str, Any]:
    """Return what the ``EVOLVE_*`` variables say, by name of setting; a blank one says nothing."""
    return {
        key[len(PREFIX) :].lower(): value
        for key, value in os.environ.items()
        if key.upper().startswith(PREFIX) and value.strip()
    }


def _without_no(said: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``no_judge``, named as its flag is, into ``judge`` with the opposite value.

    Raises:
        SettingsError: It is neither true nor false, or ``judge`` is there as well.
    """
    settings = dict(said)
    for name, value in said.items():
        field = name.removeprefix("no_")
        if field == name or field not in Settings.model_fields or not _is_switch(field):
            continue
        truth = _TRUTHS.get(str(value).strip().lower())
        if truth is None:
            raise SettingsError(
                f"{_origin(name)} cannot be {value!r}: write true or false; nothing was started."
            )
        if field in said:
            raise SettingsError(
                f"{_origin(name)} and {_origin(field)} exclude each other; nothing was started. Keep one."
            )
        del settings[name]
        settings[field] = not truth
    return settings


def _is_switch(field: str) -> bool:
    return Settings.model_fields[field].annotation is bool


class Options(TypedDict, total=False):
    """The settings that :class:`evolver.Evolution` takes as keywords; see :class:`Settings`."""

    epochs: int
    base_url: str | None
    judge: bool
    preset: str
    skip_rules: tuple[str, ...]
    refusal_phrases: tuple[str, ...]
    store: str | os.PathLike[str]
    run: str | None
    output: str | os.PathLike[str] | None
    format: Format
    attempts: int
    seed: int
    limit: int | None
    strict: bool
    answer_seeds: AnswerSeeds
    temperature: float | None
    top_p: float | None
    max_tokens: int
    concurrency: int
    rpm: int | None
    tpm: int | None
    timeout: float
    max_cost: float | None
    price_in: float | None
    price_out: float | None
    cache: bool
    batch: bool
    batch_fallback: BatchFallback
    batch_min: int
    batch_poll: float | None
    batch_window: int


def load_settings(**given: Any) -> Settings:
    """Build the settings from what was given, the environment and ``evolve.toml`` in the working directory.

    Raises:
        SettingsError: A value cannot be, or a name is unknown; the message says which and where it came from.
        UsageError: There is no pool.
    """
    try:
        return _EverySource(**given)
    except ValidationError as error:
        raise _explain(error, given) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{SETTINGS_FILE} cannot be read: {error}; nothing was started. Mend or remove that file."
        ) from error


def given_settings(**given: Any) -> Settings:
    """Build the settings from what was given alone, as Python code expects.

    Raises:
        SettingsError: A value cannot be, or a name is unknown.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _explain(error, given) from error


def _explain(error: ValidationError, given: dict[str, Any]) -> SettingsError:
    found = error.errors()
    # A mistyped name may be why another one is missing, so it is told first.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    name = str(first["loc"][0]) if first["loc"] else ""
    flag = "--" + name.replace("_", "-")
    if first["type"] == "missing":
        return UsageError(
            f"{flag} is missing; nothing was started. Name the file of instructions: evolve --pool FILE"
        )
    where = flag if name in given else _origin(name)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, _known_names(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " 'evolve run --help' lists the settings."
        return SettingsError(f"there is no setting {name!r} ({where}); nothing was started.{hint}")
    return SettingsError(
        f"{where} cannot be {first['input']!r}: {first['msg'].lower()}; nothing was started."
    )


def _known_names() -> list[str]:
    return [*Settings.model_fields, *(f"no_{field}" for field in Settings.model_fields if _is_switch(field))]


def _origin(name: str) -> str:
    variable = f"{PREFIX}{name.upper()}"
    if any(key.upper() == variable and value.strip() for key, value in os.environ.items()):
        return f"the variable {variable}"
    return f"{name!r} in {Path(SETTINGS_FILE)}"
