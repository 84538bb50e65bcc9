"""The README of a Hugging Face dataset: front matter that the hub reads, and figures that people do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import yaml  # type: ignore[import-untyped]

from evolver.facts.attempts import Tally
from evolver.merge.job import Cleaning, MergeReport, MergeSettings
from evolver.merge.markdown import code, inline, table
from evolver.merge.reader import Reader
from evolver.merge.runs import RunReader
from evolver.models.registry import provider_of
from evolver.pool.source import HUB
from evolver.version import VERSION
from evolver_templates import render

_SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
}
_REASONING = {
    "inline": "in <think> tags before the answer, where the model thought",
    "field": "in reasoning_content, where the model thought; chat templates may leave it out",
}


def card(readers: Sequence[Reader], report: MergeReport, settings: MergeSettings, cleaning: Cleaning) -> str:
    """Return the README of a dataset: its figures, settings, models and runs, and a note on its licence.

    Pools, files and benchmarks are named without their folders, since a card is for the public.
    """
    runs = [(reader, reader.about()) for reader in readers if isinstance(reader, RunReader)]
    models = sorted({model for _, run in runs for model in _models(run)})
    origins = [
        *(pool for _, run in runs if (pool := _pool(run)) is not None),
        *(s.name for s in readers if s.kind == "oss"),
    ]
    return (
        render(
            "dataset/card.jinja",
            front=yaml.safe_dump(_front(report), sort_keys=False, allow_unicode=True),
            title=inline(report.output.name),
            version=VERSION,
            rows=f"{report.rows:,}",
            counts=table(("rows", "count"), _counts(report)),
            settings=table(("setting", "value"), _settings(settings, cleaning)),
            recipe=", ".join(code(path.name) for path in report.recipe),
            models=", ".join(map(code, models)),
            runs=table(
                ("run", "pool", "models", "seeds", "epochs", "seed", "status"),
                map(_run, (run for _, run in runs)),
            ),
            figures=table(
                ("run", "epoch", "attempts", "survivors", "eliminated", "failed"),
                (
                    (run["name"], *(f"{figure:,}" for figure in _figures(epoch, tally)))
                    for reader, run in runs
                    for epoch, tally in reader.by_epoch().items()
                ),
            ),
            origins=" and from ".join(
                ", ".join(map(code, names)) for names in (dict.fromkeys(origins), models) if names
            ),
            notices="\n\n".join(_notices(models)),
        )
        + "\n"
    )


def _front(report: MergeReport) -> dict[str, Any]:
    return {
        "pretty_name": report.output.name,
        "license": "other",
        "task_categories": ["text-generation"],
        "tags": ["evol-instruct", "instruction-tuning", "synthetic", "evolver"],
        "size_categories": [next((name for most, name in _SIZES.items() if report.rows < most), "n>10M")],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}
        ],
    }


def _counts(report: MergeReport) -> Iterator[tuple[str, str]]:
    without = report.seeds_without_response + report.survivors_without_response + report.oss_without_response
    named = {
        "in the dataset": report.rows,
        **{
            f"of them, epoch {epoch}" if epoch else "of them, seeds": n
            for epoch, n in report.by_epoch.items()
        },
        "of them, OSS-Instruct": report.oss,
        "of them, with a contaminated ancestor": report.flagged,
        "left out, without a response": without,
        **{f"dropped, {reason.replace('_', ' ')}": count for reason, count in report.dropped.items()},
        **{f"skipped, {reason}": count for reason, count in report.oss_skipped.items()},
        "left out by the limit or the ratio": report.not_drawn,
    }
    yield from ((name, f"{count:,}") for name, count in named.items() if count)


def _settings(settings: MergeSettings, cleaning: Cleaning) -> Iterator[tuple[str, object]]:
    yield "format", settings.format
    if settings.recipe is not None:
        yield "recipe", settings.recipe
    if settings.reasoning != "none":
        yield "reasoning", _REASONING[settings.reasoning]
    yield "order", settings.order
    yield "seed", settings.seed
    if settings.epochs is not None:
        yield "epochs", "{}-{}".format(*settings.epochs)
    if settings.ratio is not None:
        yield "ratio", ", ".join(f"{kind}={share:g}" for kind, share in settings.ratio.items())
    if settings.limit is not None:
        yield "limit", settings.limit
    yield "duplicates removed", cleaning.dedup
    if cleaning.dedup == "near":
        yield "near-duplicate threshold", cleaning.threshold
        if cleaning.spare_family:
            yield "near-duplicates within a lineage", "kept"
    if cleaning.decontaminate:
        yield "checked against", ", ".join(path.name for path in cleaning.decontaminate)
        yield "descendants of contaminated rows", "dropped" if cleaning.families else "kept"


def _models(run: Mapping[str, Any]) -> list[str]:
    """Name the models that evolved, judged and answered."""
    told = run["settings"].get("shape", {}).get("models", {})
    return list(dict.fromkeys([run["model"], *(str(one[0]) for one in told.values())]))


def _notices(models: Sequence[str]) -> list[str]:
    """What the providers of these models want said in the card of every dataset made with them."""
    records = (provider_of(model) for model in models)
    return list(
        dict.fromkeys(one.dataset_notice for one in records if one is not None and one.dataset_notice)
    )


def _run(run: Mapping[str, Any]) -> tuple[object, ...]:
    models = ", ".join(_models(run))
    return run["name"], _pool(run), models, run["seeds"], run["epochs"], run["seed"], run["status"]


def _pool(run: Mapping[str, Any]) -> str | None:
    """Name the pool without its folder; ``None`` for a run that has none."""
    pool = run["pool"]
    return pool if pool is None or pool.startswith(HUB) else PurePath(pool).name


def _figures(epoch: int, tally: Tally) -> tuple[int, ...]:
    return epoch, tally.attempts, tally.survivors, tally.eliminated.total(), tally.failed.total()
