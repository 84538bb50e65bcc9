"""Benchmarks as they are published: HumanEval and MBPP by their own fields, anything else as a pool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from evolver.errors import PoolError
from evolver.pool import rows
from evolver.pool.detect import detect
from evolver.pool.record import MalformedError, Record, TruncatedError
from evolver.pool.records import read_records
from evolver.pool.source import display_name, open_pool, stated

# The fields of HumanEval, of MBPP and of its sanitised form, and of question-and-answer sets.
_PROMPTS = ("prompt", "text", "question")
_SOLUTIONS = ("canonical_solution", "code", "solution", "answer")
_NAMES = ("task_id", "id", "idx", "name")
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
            items = [item for record in _records(stream) for item in _items(record, Path(name).name)]
    except UnicodeDecodeError as error:
        raise _unreadable(name, "is not UTF-8 text") from error
    except TruncatedError as error:
        raise _unreadable(name, f"is cut off {error}") from error
    except (MalformedError, rows.BadRowError) as error:
        raise _unreadable(name, f"cannot be read: {error}") from error
    if not items:
        raise _unreadable(name, "holds no problem")
    return items


def _records(stream: BinaryIO) -> Iterator[Record]:
    format_ = detect(stream)
    if format_.kind == "Parquet":
        yield from _parquet(stream)
    elif format_.kind == "unknown":
        raise MalformedError("no known shape")
    elif format_.kind != "empty":
        yield from read_records(stream, format_)


def _parquet(stream: BinaryIO) -> Iterator[Record]:
    # The pool's own reader knows the columns of a pool alone; pyarrow is imported where Parquet is read.
    import pyarrow as pa
    import pyarrow.parquet as pq

    stream.seek(0)
    try:
        table = pq.read_table(stream).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise MalformedError("damaged Parquet") from error
    for number, row in enumerate(table, 1):
        yield Record(f"record {number}", row)


def _items(record: Record, file: str) -> Iterator[Item]:
    for part in rows.parts(record.row):
        if isinstance(part, rows.BadRowError):
            raise rows.BadRowError(f"{record.where}: {part}")
        try:
            prompt, solution = _texts(part)
        except rows.BadRowError as error:
            raise rows.BadRowError(f"{record.where}: {error}") from error
        if not prompt.strip() and not solution.strip():
            raise rows.BadRowError(f"{record.where}: neither prompt nor solution")
        yield Item(f"{file} {_name(part) or record.where}", prompt, solution)


def _texts(row: object) -> tuple[str, str]:
    if isinstance(row, dict) and not row.keys() & rows.KNOWN_FIELDS:
        prompt, solution = _first(row, _PROMPTS), _first(row, _SOLUTIONS)
        if prompt is None and solution is None:
            raise rows.BadRowError(rows.NO_KNOWN_FIELDS)
        return prompt or "", solution or ""
    found = rows.draft(row)
    return found.instruction, found.response


def _first(row: Mapping[str, object], fields: Sequence[str]) -> str | None:
    return next((value for field in fields if isinstance(value := row.get(field), str)), None)


def _name(row: object) -> str:
    if not isinstance(row, dict):
        return ""
    return next((str(row[key]) for key in _NAMES if isinstance(row.get(key), str | int)), "")


def _unreadable(name: str, what: str) -> PoolError:
    return PoolError(f"the benchmark {name} {what}; nothing was written. {_ADVICE}")
