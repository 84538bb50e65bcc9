"""Benchmarks as they are published: HumanEval and MBPP by their own fields, anything else as a pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from evolver.errors import PoolError
from evolver.pool.files import read_stream, suffix_of
from evolver.pool.record import (
    BadRowError,
    EncodingError,
    MalformedError,
    NoPoolError,
    Record,
    TruncatedError,
)
from evolver.pool.rows import Shaper
from evolver.pool.seeds import PoolReport
from evolver.pool.source import display_name, open_pool, stated

# The fields of HumanEval, of MBPP and of its sanitised form, and of question-and-answer sets.
_PROMPTS = ("prompt", "text", "question")
_SOLUTIONS = ("canonical_solution", "code", "solution", "answer")
_NAMES = ("task_id", "id", "idx", "name")
_POOL_FIELDS = frozenset({"instruction", "problem", "instances", "conversations", "messages"})
_ADVICE = (
    "A benchmark is JSONL, a JSON list or Parquet of {task_id, prompt, canonical_solution}, {task_id, text, code} "
    "or any rows a pool may have, or plain text with one prompt a line."
)


class Item(NamedTuple):
    """A problem of a benchmark: ``name`` says file and task; a missing prompt or solution is empty."""

    name: str
    prompt: str
    solution: str


def read_benchmarks(paths: Sequence[Path]) -> list[Item]:
    """Read every item of every file; a row that cannot be read is an error, since it would go unchecked.

    Raises:
        PoolError: A file cannot be read, holds no item, or has a bad row.
    """
    return [item for path in paths for item in _read(path)]


def _read(path: Path) -> list[Item]:
    name = display_name(path)
    try:
        with open_pool(path) as stream, stated(path):
            shaper = Shaper()
            records = read_stream(stream, suffix_of(path), PoolReport(), shaper.columns)
            items = [item for record in records for item in _items(record, shaper, Path(name).name)]
    except NoPoolError as error:
        if str(error) == "is empty":
            raise _unreadable(name, "holds no problem") from error
        raise _unreadable(name, str(error)) from error
    except EncodingError as error:
        raise _unreadable(name, str(error)) from error
    except TruncatedError as error:
        raise _unreadable(name, f"is cut off {error}") from error
    except (MalformedError, BadRowError) as error:
        raise _unreadable(name, f"cannot be read: {error}") from error
    if not items:
        raise _unreadable(name, "holds no problem")
    return items


def _items(record: Record, shaper: Shaper, file: str) -> Iterator[Item]:
    for prompt, solution in _texts(record, shaper):
        if not prompt.strip() and not solution.strip():
            raise BadRowError(f"{record.where}: neither prompt nor solution")
        yield Item(f"{file} {_name(record.row) or record.where}", prompt, solution)


def _texts(record: Record, shaper: Shaper) -> Iterator[tuple[str, str]]:
    """Yield prompt and solution by the fields of a benchmark, or of a pool where the row has those."""
    row = record.row
    if isinstance(row, dict) and not row.keys() & _POOL_FIELDS:
        prompt, solution = _first(row, _PROMPTS), _first(row, _SOLUTIONS)
        if prompt is not None or solution is not None:
            yield prompt or "", solution or ""
            return
    for draft in [row] if isinstance(row, BadRowError) else shaper.drafts(row):
        if isinstance(draft, BadRowError):
            raise BadRowError(f"{record.where}: {draft}") from draft
        yield draft.instruction, draft.response


def _first(row: Mapping[str, object], fields: Sequence[str]) -> str | None:
    return next((value for field in fields if isinstance(value := row.get(field), str)), None)


def _name(row: object) -> str:
    if not isinstance(row, dict):
        return ""
    return next((str(row[key]) for key in _NAMES if isinstance(row.get(key), str | int)), "")


def _unreadable(name: str, what: str) -> PoolError:
    return PoolError(f"the benchmark {name} {what}; nothing was written. {_ADVICE}")
