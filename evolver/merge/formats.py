"""The shapes of a dataset's rows: one function per format, from a row of the lineage to a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from evolver.settings.choices import Format
from evolver_store.schema import place
from evolver_templates import render

Record = dict[str, Any]


class Row(NamedTuple):
    """A row that may train a model, and where it comes from; ``mutator`` is ``None`` for a seed.

    ``columns`` is what the pool held of its seed besides, as JSON.
    """

    id: int
    root_id: int
    epoch: int
    mutator: str | None
    instruction: str
    response: str
    run: str
    source: str
    columns: str | None = None


Shape = Callable[[int, Row], Record]


def _wizardcoder(_position: int, row: Row) -> Record:
    return {"instruction": row.instruction, "output": row.response}


def _alpaca(_position: int, row: Row) -> Record:
    return {"instruction": row.instruction, "input": "", "output": row.response}


def _text(_position: int, row: Row) -> Record:
    # The response follows the label with nothing between, as in the training code of arXiv:2306.08568.
    return {"text": render("dataset/wizardcoder.jinja", instruction=row.instruction) + row.response}


def _messages(_position: int, row: Row) -> Record:
    return {
        "messages": [
            {"role": "user", "content": row.instruction},
            {"role": "assistant", "content": row.response},
        ]
    }


def _sharegpt(position: int, row: Row) -> Record:
    return {
        "idx": position,
        "conversations": [
            {"from": "human", "value": row.instruction},
            {"from": "gpt", "value": row.response},
        ],
    }


def _prompt_completion(_position: int, row: Row) -> Record:
    # Conversational, so that the trainer's chat template parts the two; it takes its loss from the completion.
    return {
        "prompt": [{"role": "user", "content": row.instruction}],
        "completion": [{"role": "assistant", "content": row.response}],
    }


FORMATS: Mapping[Format, Shape] = MappingProxyType(
    {
        "wizardcoder": _wizardcoder,
        "alpaca": _alpaca,
        "text": _text,
        "messages": _messages,
        "sharegpt": _sharegpt,
        "prompt-completion": _prompt_completion,
    }
)

# Every field filled, so that the columns of a format and their types can be read off one record.
_SAMPLE = Row(1, 1, 1, "mutator", "instruction", "response", "run", "source", "{}")


def record_maker(name: Format, *, provenance: bool) -> Shape:
    """Return the function that makes a record of a row and its place in the dataset, counted from 0.

    Args:
        name: One of :data:`FORMATS`.
        provenance: Whether each record also says where it comes from.
    """
    shape = FORMATS[name]
    if not provenance:
        return shape
    return lambda position, row: {**shape(position, row), **_provenance(row)}


def sample_record(make: Shape) -> Record:
    """Return a record with every field filled, to take column names and types from."""
    return make(0, _SAMPLE)


def public_id(source: str, id_: int) -> int:
    """Return what provenance calls a row: its id in the store, or its place in an OSS-Instruct file, from 0."""
    return place(id_).ordinal if source == "oss" else id_


def _provenance(row: Row) -> Record:
    return {
        "run": row.run,
        "id": public_id(row.source, row.id),
        "root": public_id(row.source, row.root_id),
        "epoch": row.epoch,
        "mutator": row.mutator,
        "source": row.source,
        "columns": row.columns,
    }
