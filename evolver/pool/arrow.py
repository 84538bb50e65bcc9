"""Rows of Parquet and Arrow files, in bounded memory; apart because only these need pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evolver.pool.plain import plain
from evolver.pool.record import MAX_ROW, BadRowError, MalformedError, Record, TruncatedError
from evolver.pool.table import TOO_LONG

BATCH_ROWS = 1024
MAGIC = b"PAR1"

_HELD_BYTES = 4 * MAX_ROW
"""Most bytes of text that are made Python's at a time."""

_FREE_BYTES = 1 << 28
_MOST_FOLD = 200
"""A column chunk of more than 256 MiB may unfold to 200 times its packed size; see :mod:`evolver.pool.unpack`."""

_FREE_VALUES = 50_000_000


def read_arrow(stream: Any, kind: str) -> Iterator[Record]:
    """Yield the rows of a seekable stream of the kind ``Parquet``, ``Arrow`` (a file) or ``Arrow stream``.

    Text that is kept once and referred to many times, by which 500 bytes of Parquet can stand for gigabytes, stays so
    until a row is made of it; a row of more than 32 MiB is a bad row.

    Raises:
        TruncatedError: The file does not end as it must.
        MalformedError: pyarrow cannot read it, or it unfolds without measure.
    """
    if kind == "Parquet":
        stream.seek(-len(MAGIC), 2)
        if stream.read() != MAGIC:
            raise TruncatedError("before its footer")
    stream.seek(0)
    count = 0
    try:
        for batch in _parquet_batches(stream) if kind == "Parquet" else _ipc_batches(stream, kind):
            for row in _rows(batch):
                count += 1
                yield Record(f"record {count}", row)
    except EOFError as error:
        raise TruncatedError(f"after record {count}") from error
    except (pa.ArrowException, MemoryError, OSError, ValueError, KeyError, OverflowError) as error:
        if "EOF" in str(error) or "Expected to be able to read" in str(error):
            raise TruncatedError(f"after record {count}") from error
        raise MalformedError(f"is damaged after record {count}") from error


def _parquet_batches(stream: Any) -> Iterator[Any]:
    meta = pq.read_metadata(stream)
    shared = _check_parquet(meta)
    stream.seek(0)
    file = pq.ParquetFile(
        stream, pre_buffer=False, buffer_size=1 << 20, read_dictionary=sorted(shared), metadata=meta
    )
    columns = [field.name for field in file.schema_arrow if not _is_binary(field.type)]
    if not columns:
        raise MalformedError("has no column that holds text")
    yield from file.iter_batches(BATCH_ROWS, columns=columns)


def _check_parquet(meta: Any) -> set[str]:
    """Return the paths of columns whose texts may be referred to many times.

    Raises:
        MalformedError: A column chunk unfolds beyond all measure.
    """
    shared = set()
    size = (
        sum(meta.row_group(group).column(0).total_compressed_size for group in range(meta.num_row_groups))
        if meta.num_columns
        else 0
    )
    for group in range(meta.num_row_groups):
        rows = meta.row_group(group)
        for number in range(rows.num_columns):
            column = rows.column(number)
            packed, unfolded = column.total_compressed_size, column.total_uncompressed_size
            nested = column.num_values > rows.num_rows
            if unfolded > _FREE_BYTES and unfolded > _MOST_FOLD * packed:
                raise MalformedError(
                    f"unfolds from {packed:,} bytes to {unfolded >> 20:,} MiB, as no text does"
                )
            if nested and column.num_values > max(_FREE_VALUES, _MOST_FOLD * (packed + size)):
                raise MalformedError(f"unfolds from {packed:,} bytes to {column.num_values:,} values")
            if column.physical_type == "BYTE_ARRAY" and any("DICTIONARY" in one for one in column.encodings):
                shared.add(column.path_in_schema)
    return shared


def _ipc_batches(stream: Any, kind: str) -> Iterator[Any]:
    if kind == "Arrow stream":
        reader = pa.ipc.open_stream(stream)
        batches: Iterator[Any] = iter(reader)
    else:
        reader = pa.ipc.open_file(stream)
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
    columns = [field.name for field in reader.schema if not _is_binary(field.type)]
    if not columns:
        raise MalformedError("has no column that holds text")
    for batch in batches:
        batch.validate(full=True)  # offsets out of range would be read from anywhere
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.select(columns).slice(start, BATCH_ROWS)


def _rows(batch: Any) -> Iterator[object]:
    """Yield the rows of a batch, of halves of it where it is too large to be held, or the reason why a row is bad."""
    size = sum(map(_size, batch.columns))
    if batch.num_rows > 1 and size > _HELD_BYTES:
        half = batch.num_rows // 2
        yield from _rows(batch.slice(0, half))
        yield from _rows(batch.slice(half))
    elif size > _HELD_BYTES:
        yield BadRowError(TOO_LONG)
    elif all(_is_json(field.type) for field in batch.schema):
        yield from batch.to_pylist()
    else:
        yield from map(plain, batch.to_pylist())


def _size(array: Any) -> int:
    """Return the bytes of the texts in an array, each counted as often as it is referred to, and its values."""
    type_ = array.type
    if pa.types.is_dictionary(type_):
        if not (pa.types.is_string(type_.value_type) or pa.types.is_large_string(type_.value_type)):
            return 8 * len(array)
        lengths = pc.binary_length(array.dictionary).take(array.indices)
        return 8 * len(array) + int(pc.sum(lengths).as_py() or 0)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return 8 * len(array) + int(pc.sum(pc.binary_length(array)).as_py() or 0)
    if pa.types.is_struct(type_):
        return sum(_size(one) for one in array.flatten())
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return 8 * len(array) + _size(array.flatten())
    return 8 * len(array)


def _is_json(type_: Any) -> bool:
    """Whether values of a type are what JSON knows without more ado."""
    if pa.types.is_dictionary(type_):
        return _is_json(type_.value_type)
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return _is_json(type_.value_type)
    if pa.types.is_struct(type_):
        return all(_is_json(type_.field(number).type) for number in range(type_.num_fields))
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_floating)
    return pa.types.is_boolean(type_) or pa.types.is_null(type_) or any(test(type_) for test in tests)


def _is_binary(type_: Any) -> bool:
    """Whether a column holds bytes (images, sounds), of which no seed is made."""
    if pa.types.is_struct(type_):
        return any(_is_binary(type_.field(number).type) for number in range(type_.num_fields))
    return bool(
        pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_)
    )
