"""The files a dataset can be: JSON lines, a JSON list, Parquet; each is written as it comes, never held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any, BinaryIO

import orjson

from evolver.merge.formats import Record

Write = Callable[[list[Record]], None]
Container = Callable[[BinaryIO, Record], AbstractContextManager[Write]]


@contextmanager
def _jsonl(file: BinaryIO, _sample: Record) -> Iterator[Write]:
    def write(records: list[Record]) -> None:
        for record in records:
            file.write(_json_of(record) + b"\n")

    yield write


def _json_of(value: Any) -> bytes:
    """Return JSON byte for byte as :mod:`json` writes it, which takes five times as long."""
    if isinstance(value, dict):
        return b"{%b}" % b", ".join([_json_of(key) + b": " + _json_of(one) for key, one in value.items()])
    if isinstance(value, list):
        return b"[%b]" % b", ".join(map(_json_of, value))
    return orjson.dumps(value)


@contextmanager
def _json(file: BinaryIO, _sample: Record) -> Iterator[Write]:
    before = b"[\n"

    def write(records: list[Record]) -> None:
        nonlocal before
        for record in records:
            file.write(before + _json_of(record))
            before = b",\n"

    yield write
    file.write(b"\n]\n")


@contextmanager
def _parquet(file: BinaryIO, sample: Record) -> Iterator[Write]:
    # Imported here, not above, because pyarrow is half of a merge's memory and only Parquet needs it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.Table.from_pylist([sample]).schema
    with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=False) as writer:
        yield lambda records: writer.write_table(pa.Table.from_pylist(records, schema=schema))


CONTAINERS: Mapping[str, Container] = MappingProxyType(
    {".jsonl": _jsonl, ".json": _json, ".parquet": _parquet}
)
"""By the ending of the output's name. Each call of the writer takes some thousand records, and makes a row group
of them in Parquet; a sample record tells it the columns."""
