"""Read the texts of ordered keys, a slice at a time, so that no more than a slice of them is ever held."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence

from evolver.errors import StoreError
from evolver.merge.collect import split_key
from evolver.merge.formats import Row
from evolver.merge.reader import Reader

SLICE = 2_000


def slices_of_rows(
    readers: Sequence[Reader], keys: array[int], *, columns: bool = False
) -> Iterator[list[Row]]:
    """Yield the rows of ``keys`` in their order, up to ``SLICE`` at a time.

    Args:
        readers: One per source.
        keys: As :mod:`evolver.merge.collect` makes them.
        columns: Whether each row also has the further columns of its seed.

    Raises:
        StoreError: A row is there no more.
    """
    for start in range(0, len(keys), SLICE):
        yield _rows(readers, keys[start : start + SLICE], columns)


def _rows(readers: Sequence[Reader], keys: array[int], columns: bool) -> list[Row]:
    wanted: dict[int, list[int]] = defaultdict(list)
    for key in keys:
        source, id_ = split_key(key)
        wanted[source].append(id_)
    found = {
        (source, row.id): row
        for source, ids in wanted.items()
        for row in readers[source].rows(ids, columns=columns)
    }
    if len(found) < len(keys):
        raise StoreError(
            f"{len(keys) - len(found)} rows went from the store while they were being merged; nothing was written. "
            "Merge again when nothing deletes from it."
        )
    return [found[split_key(key)] for key in keys]
