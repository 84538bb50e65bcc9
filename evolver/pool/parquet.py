"""Rows of a Parquet file; apart because only a Parquet pool needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from evolver.pool.record import MalformedError, Record, TruncatedError
from evolver.pool.rows import READ_FIELDS

BATCH_ROWS = 1024
MAGIC = b"PAR1"


def read_parquet(stream: BinaryIO) -> Iterator[Record]:
    """Yield the rows, of the columns a seed is made of only.

    Raises:
        TruncatedError: The file does not end as it must.
        MalformedError: pyarrow cannot read it.
    """
    stream.seek(-len(MAGIC), 2)
    if stream.read() != MAGIC:
        raise TruncatedError("before its footer")
    stream.seek(0)
    count = 0
    try:
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
        columns = [field.name for field in file.schema_arrow if _is_read(field)]
        if not columns:
            raise MalformedError("has none of the columns a pool is read from")
        for batch in file.iter_batches(BATCH_ROWS, columns=columns):
            for row in batch.to_pylist():
                count += 1
                yield Record(f"record {count}", row)
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise MalformedError(f"is damaged after record {count}") from error


def _is_read(field: pa.Field) -> bool:
    """Whether a seed is made of the column; ids of other types (dates, decimals) serve nobody here."""
    if field.name in ("id", "idx"):
        return bool(pa.types.is_integer(field.type) or pa.types.is_string(field.type))
    return field.name in READ_FIELDS
