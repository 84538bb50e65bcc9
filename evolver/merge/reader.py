"""What a merge wants of a source: which rows it has, and their texts, in its own order or by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from evolver.merge.formats import Row
from evolver.merge.job import Kind

Epochs = tuple[int, int] | None


class Texts(NamedTuple):
    """A row as cleaning wants it; ``parent_id`` is ``None`` where nothing was evolved into it."""

    id: int
    parent_id: int | None
    instruction: str
    response: str


class Reader(Protocol):
    """A source that is open. Ids are those of the lineage's arithmetic: the epoch can be read off them."""

    @property
    def kind(self) -> Kind:
        """Evolved rows and their seeds, or OSS-Instruct."""

    @property
    def name(self) -> str:
        """What provenance and messages call it."""

    def ids(self, epochs: Epochs) -> Iterator[tuple[int, bool]]:
        """Yield (id, whether there is a response) of every row that may train a model, by id."""

    def texts(self) -> Iterator[Texts]:
        """Yield every row that may train a model, by id, so a parent before its children; a missing text is empty."""

    def rows(self, ids: Sequence[int], *, columns: bool) -> Iterator[Row]:
        """Yield the rows of these ids, in any order; one that is gone is left out.

        ``columns`` asks for the further columns that the pool had for their seeds.
        """
