"""What a merge is told and what it says afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import Engine

from evolver.errors import SettingsError
from evolver.merge.formats import FORMATS

Order = Literal["shuffle", "sequential", "epoch"]


@dataclass(frozen=True, slots=True)
class RunSource:
    """One run of one store; ``run_name`` is what provenance and messages call it."""

    engine: Engine
    run_id: int
    run_name: str


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """How the rows of a run become a dataset.

    ``order`` is ``shuffle`` (by ``seed``), ``sequential`` (source after source, each by its place in the pool,
    so that training goes through them in turn, as in arXiv:2312.02120) or ``epoch`` (generation after
    generation). ``epochs`` is a range with both ends in it; seeds are epoch 0. ``limit`` draws that many rows,
    each equally likely; with an equal ``seed`` a smaller sample is part of a larger one. ``provenance`` adds
    run, id, root, epoch, mutator and source to every row.

    Raises:
        SettingsError: A value that cannot be.
    """

    format: str = "wizardcoder"
    order: Order = "shuffle"
    seed: int = 0
    epochs: tuple[int, int] | None = None
    limit: int | None = None
    provenance: bool = False

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingsError(
                f"no dataset format is named {self.format!r}; there are {', '.join(FORMATS)}."
            )
        if self.order not in get_args(Order):
            raise SettingsError(f"no order is named {self.order!r}; there are {', '.join(get_args(Order))}.")
        if self.limit is not None and self.limit < 1:
            raise SettingsError(f"a dataset of {self.limit} rows cannot be written; the limit is at least 1.")
        if self.epochs is not None and not 0 <= self.epochs[0] <= self.epochs[1]:
            raise SettingsError(
                f"epochs {self.epochs[0]} to {self.epochs[1]} is no range; "
                "give the lower one first, 0 being the seeds."
            )


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What was written, and what was left out.

    ``rows`` is ``seeds`` plus ``survivors``, and the sum of ``by_epoch`` (whose epoch 0 is the seeds).
    The two ``…_without_response`` count rows left out because nothing but white space, or nothing at all,
    answers them. ``size`` is in bytes.
    """

    output: Path
    rows: int
    seeds: int
    survivors: int
    seeds_without_response: int
    survivors_without_response: int
    by_epoch: Mapping[int, int]
    size: int
