"""What a merge is told and what it says afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Engine

from evolver.errors import SettingsError
from evolver.merge.formats import FORMATS, check_reasoning
from evolver.merge.recipes import check_recipe
from evolver.settings.choices import DEFAULT_FORMAT, REASONINGS, Format, Reasoning, Recipe

Order = Literal["shuffle", "sequential", "epoch"]
Dedup = Literal["none", "exact", "near"]
Kind = Literal["evol", "oss"]

LOWEST_THRESHOLD = 0.1  # below it, most pairs of a dataset would have to be looked at
DEFAULT_THRESHOLD = 0.9


@dataclass(frozen=True, slots=True)
class RunSource:
    """One run of one store; ``run_name`` is what provenance and messages call it."""

    engine: Engine
    run_id: int
    run_name: str


@dataclass(frozen=True, slots=True)
class OssSource:
    """A file of OSS-Instruct rows (arXiv:2312.02120), or of any rows a pool may have; all have a response."""

    path: Path


Source = RunSource | OssSource


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What is taken out before anything is drawn or ordered; by default nothing.

    ``dedup`` is ``exact`` (instructions equal after folding case and white space, whatever the responses) or ``near``
    (exact, and then instructions whose three-word shingles have a Jaccard index of ``threshold`` or more); kept is
    the row of the earliest generation, then the one of the first source and lowest id. ``decontaminate`` are
    benchmark files: rows that hold a prompt or solution of theirs go; ``families`` also drops their descendants.
    ``spare_family`` lets rows of one lineage, such as parent and child, be near to each other; equal ones go.
    ``rules`` are elimination rules, as a run takes them, that every row is held to; none means that none is asked.

    Raises:
        SettingsError: A value that cannot be.
    """

    dedup: Dedup = "none"
    threshold: float = DEFAULT_THRESHOLD
    decontaminate: tuple[Path, ...] = ()
    families: bool = False
    spare_family: bool = False
    rules: tuple[str | Callable[..., Any], ...] = ()
    skip_rules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.dedup not in get_args(Dedup):
            raise SettingsError(
                f"there is no way to deduplicate named {self.dedup!r}; there are {', '.join(get_args(Dedup))}."
            )
        if not LOWEST_THRESHOLD <= self.threshold <= 1:
            raise SettingsError(
                f"near-duplicates at a threshold of {self.threshold} cannot be found; "
                f"it is a share from {LOWEST_THRESHOLD} to 1."
            )
        if self.families and not self.decontaminate:
            raise SettingsError(
                "families of contaminated rows cannot be dropped without a benchmark; "
                "name one with --decontaminate."
            )
        if self.skip_rules and not self.rules:
            raise SettingsError("rules can be left out where some are asked alone; name them with --rules.")
        if self.spare_family and self.dedup != "near":
            raise SettingsError(
                "families can be spared where near-duplicates are dropped alone; say --dedup near as well."
            )


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """How the rows of all sources become a dataset.

    ``order`` is ``shuffle`` (by ``seed``), ``sequential`` (source after source, each by its place in the pool,
    so that training goes through them in turn, as in arXiv:2312.02120) or ``epoch`` (generation after
    generation, OSS-Instruct with the seeds). ``epochs`` is a range with both ends in it; seeds are epoch 0, and
    OSS-Instruct rows are always in it. ``limit`` draws that many rows, each equally likely; with an equal ``seed``
    a smaller sample is part of a larger one. ``ratio`` weighs evolved rows (and their seeds) against OSS-Instruct:
    the largest dataset of these shares is drawn, or one of ``limit`` rows. ``provenance`` adds run, id, root,
    epoch, mutator and source to every row. ``recipe`` is the program that a configuration is written for;
    ``reasoning`` says where what the model thought stands, if anywhere.

    Raises:
        SettingsError: A value that cannot be.
    """

    format: Format = DEFAULT_FORMAT
    order: Order = "shuffle"
    seed: int = 0
    epochs: tuple[int, int] | None = None
    limit: int | None = None
    provenance: bool = False
    ratio: Mapping[Kind, float] | None = None
    recipe: Recipe | None = None
    reasoning: Reasoning = "none"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingsError(
                f"no dataset format is named {self.format!r}; there are {', '.join(FORMATS)}."
            )
        check_recipe(self.recipe, self.format)
        if self.reasoning not in REASONINGS:
            raise SettingsError(
                f"reasoning cannot stand in {self.reasoning!r}; there are {', '.join(REASONINGS)}."
            )
        check_reasoning(self.format, self.reasoning)
        if self.order not in get_args(Order):
            raise SettingsError(f"no order is named {self.order!r}; there are {', '.join(get_args(Order))}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"a dataset of {self.limit} rows cannot be written; the limit is at least 1.")
        if self.epochs is not None and not 0 <= self.epochs[0] <= self.epochs[1]:
            raise SettingsError(
                f"epochs {self.epochs[0]} to {self.epochs[1]} is no range; "
                "give the lower one first, 0 being the seeds."
            )
        if self.ratio is not None:
            _check_ratio(self.ratio)


def _check_ratio(ratio: Mapping[Kind, float]) -> None:
    known = get_args(Kind)
    if not ratio or set(ratio) - set(known):
        raise SettingsError(
            f"a ratio weighs {' and '.join(known)}, not {', '.join(ratio) or 'nothing'}; write evol=0.6,oss=0.4."
        )
    if not all(0 < share < float("inf") for share in ratio.values()):
        raise SettingsError(
            "every share of a ratio is above 0; leave out a source instead of giving it none."
        )


@dataclass(frozen=True, slots=True)
class MergedRun:
    """A run that was merged: its name, the model that evolved it, its status, and whether that was the embedded one."""

    name: str
    model: str
    status: str
    offline: bool


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What was written, and what was left out; every row of every source is in one of the counts.

    ``rows`` is ``seeds`` plus ``survivors`` plus ``oss``; ``by_epoch`` counts the first two (its epoch 0 is the
    seeds). The ``…_without_response`` count rows left out because nothing but white space, or nothing at all,
    answers them; ``oss_skipped`` those of OSS-Instruct files that could not be read, by reason. ``dropped`` counts
    what cleaning took out by reason; ``flagged`` is the rows written although an ancestor of theirs is
    contaminated; ``not_drawn`` those that ``limit`` or ``ratio`` left out. ``size`` is in bytes. ``runs``
    are those that were merged; ``recipe`` the configuration for training that was written beside the dataset.
    """

    output: Path
    rows: int
    seeds: int
    survivors: int
    seeds_without_response: int
    survivors_without_response: int
    by_epoch: Mapping[int, int]
    size: int
    oss: int = 0
    oss_without_response: int = 0
    oss_skipped: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    flagged: int = 0
    not_drawn: int = 0
    runs: tuple[MergedRun, ...] = ()
    recipe: tuple[Path, ...] = ()
