"""The shapes of a dataset's rows: one function per format, from a row of the lineage to a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from evolver.errors import SettingsError
from evolver.settings.choices import Format, Reasoning
from evolver_store.schema import place
from evolver_templates import render

Record = dict[str, Any]


class Row(NamedTuple):
    """A row that may train a model, and where it comes from; ``mutator`` is ``None`` for a seed.

    ``columns`` is what the pool held of its seed besides, as JSON; ``reasoning`` what the model thought before it gave
    the response, ``None`` where it did not.
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
    reasoning: str | None = None


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
_SAMPLE = Row(1, 1, 1, "mutator", "instruction", "response", "run", "source", "{}", "reasoning")

_FIELD: Final = "reasoning_content"
_MESSAGES: Final[Mapping[Format, str]] = {"messages": "messages", "prompt-completion": "completion"}
"""The formats in whose last message a field can stand beside the content."""

_COLUMNS: Final[tuple[Format, ...]] = ("wizardcoder", "alpaca")
"""The formats that take a column of their own."""


def record_maker(name: Format, *, provenance: bool, reasoning: Reasoning = "none") -> Shape:
    """Return the function that makes a record of a row and its place in the dataset, counted from 0.

    Args:
        name: One of :data:`FORMATS`.
        provenance: Whether each record also says where it comes from.
        reasoning: Where a record has what the model thought, if it did; one without is as it is without this.

    Raises:
        SettingsError: That format has no place for a field.
    """
    check_reasoning(name, reasoning)
    shape = FORMATS[name]
    if reasoning == "inline":
        shape = _inline(shape)
    elif reasoning == "field":
        shape = _in_field(shape, _MESSAGES.get(name))
    if not provenance:
        return shape
    return lambda position, row: {**shape(position, row), **_provenance(row)}


def check_reasoning(name: Format, reasoning: Reasoning) -> None:
    """Make sure that a format has a place for what the model thought.

    Raises:
        SettingsError: It has none.
    """
    if reasoning == "field" and name not in (*_MESSAGES, *_COLUMNS):
        places = ", ".join((*_MESSAGES, *_COLUMNS))
        raise SettingsError(
            f"the format {name} has no field for reasoning; nothing was done. Name one of {places} with --format, or "
            "say --reasoning inline."
        )


def _inline(shape: Shape) -> Shape:
    def make(position: int, row: Row) -> Record:
        if row.reasoning is None:
            return shape(position, row)
        thought = f"<think>\n{row.reasoning.strip()}\n</think>\n\n{row.response.lstrip()}"
        return shape(position, row._replace(response=thought))

    return make


def _in_field(shape: Shape, messages: str | None) -> Shape:
    """Put the reasoning beside the content of the last of ``messages``, or without those into a column."""

    def make(position: int, row: Row) -> Record:
        record = shape(position, row)
        if row.reasoning is not None:
            owner = record if messages is None else record[messages][-1]
            owner[_FIELD] = row.reasoning.strip()
        return record

    return make


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
