"""A store as Python reads it: runs, figures, families, graphs and SQL, as rows, DataFrames and data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, overload

from sqlalchemy import Connection

from evolver import html
from evolver.errors import EvolverError
from evolver.facts.runs import RunOverview, run_overviews
from evolver.report.summary import RunStats, run_stats
from evolver_store import lineage as descent
from evolver_store.claim import is_claimed
from evolver_store.connect import Store, reading, shown, store_url
from evolver_store.names import id_of, name_of
from evolver_store.query import DEFAULT_TIMEOUT, asking
from evolver_store.runs import Run, get_run

if TYPE_CHECKING:
    import datasets
    import networkx
    import pandas


_SHOWN = 20  # rows in a notebook
_WIDTH = 200  # characters of a text there


class Rows(Sequence[dict[str, Any]]):
    """Rows of an answer: a sequence of dicts that can become a DataFrame or a data set.

    Args:
        columns: Names, each once; every row has them all.
        rows: Values by name.
    """

    def __init__(self, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
        self.columns = tuple(columns)
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Rows:
        return Rows(self.columns, self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it compares like a list

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        """Show the first rows as a table in a notebook."""
        rows = ([_short(row[name]) for name in self.columns] for row in self._rows[:_SHOWN])
        more = html.paragraph(f"The first {_SHOWN} of {len(self):,} rows.") if len(self) > _SHOWN else ""
        return html.table(self.columns, rows, left=self.columns) + more

    def to_pandas(self) -> pandas.DataFrame:
        """Return a DataFrame; whole numbers are ``Int64``, so that ids stay exact where some are missing.

        Raises:
            EvolverError: pandas is not installed.
        """
        try:
            import pandas  # heavy, and no dependency of evolver
        except ModuleNotFoundError as error:
            raise EvolverError(
                "a DataFrame needs the pandas package; nothing was read. Install it: pip install pandas"
            ) from error
        made = {
            name: pandas.Series(values, dtype=_dtype(values)) for name, values in self._by_column().items()
        }
        return pandas.DataFrame(made, columns=list(self.columns))

    def to_dataset(self) -> datasets.Dataset:
        """Return a ``datasets.Dataset``.

        Raises:
            EvolverError: datasets is not installed.
        """
        try:
            import datasets  # heavy, and comes with an extra
        except ModuleNotFoundError as error:
            raise EvolverError(
                "a Dataset needs the datasets package; nothing was read. Install it: pip install 'evolver[hub]'"
            ) from error
        return datasets.Dataset.from_dict(self._by_column())

    def _by_column(self) -> dict[str, list[Any]]:
        return {name: [row[name] for row in self._rows] for name in self.columns}


class Lineage:
    """A store to read: it is never created, migrated, changed or locked.

    Each question opens the store anew, so that it sees what a run has written since the last one. As a context manager
    the store stays open for the block, and all questions in it see the same state.

    Args:
        store: A path (SQLite) or a URL.

    Raises:
        StoreMissingError: There is none.
        StoreError: It cannot be read.

    Example:
        >>> from evolver import Lineage
        >>> with Lineage("evolve.db") as lineage:  # doctest: +SKIP
        ...     [row["reason"] for row in lineage.family("17") if row["status"] == "eliminated"]
    """

    def __init__(self, store: Store) -> None:
        self._url = store_url(store)
        self._held: Connection | None = None
        self._opened: Any = None
        with self._open():
            pass

    def __enter__(self) -> Self:
        self._opened = self._open()
        self._held = self._opened.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        opened, self._opened, self._held = self._opened, None, None
        opened.__exit__(*error)

    def __repr__(self) -> str:
        return f"Lineage({shown(self._url)!r})"

    def runs(self) -> list[RunOverview]:
        """Return every run, oldest first: how far it is, and what it cost."""
        with self._conn() as conn:
            return run_overviews(conn, lambda name: is_claimed(self._url, name))

    def stats(self, run: str | None = None) -> RunStats:
        """Return the figures of a run, by name; ``None`` is the newest.

        Raises:
            RunMissingError: There is none.
        """
        with self._conn() as conn:
            found = self._run(conn, run)
            return run_stats(conn, found.id, found.seeds or 0)

    def family(self, row: int | str, run: str | None = None) -> Rows:
        """Return the seed and all attempts of the family that a row belongs to, the dead included, by id.

        Args:
            row: An id, or a name within the run: ``"17"`` is the 17th seed, ``"17/2"`` its attempt in epoch 2. A small
                number is a seed, too.
            run: The run that a name is meant in; ``None`` is the newest.

        Raises:
            StoreError: No row is called so.
        """
        with self._conn() as conn:
            return _rows(descent.family(conn, self._id(conn, row, run)))

    def ancestors(self, row: int | str, run: str | None = None) -> Rows:
        """Return the rows that a row was evolved from, the seed first, and the row itself last; see :meth:`family`.

        Raises:
            StoreError: No row is called so.
        """
        with self._conn() as conn:
            return _rows(descent.ancestors(conn, self._id(conn, row, run)))

    def rows(self, run: str | None = None, *, dead: bool = False) -> Rows:
        """Return the seeds and survivors of a run, by id; with ``dead`` all attempts.

        All texts of the run are held in memory.

        Raises:
            RunMissingError: There is no such run.
        """
        with self._conn() as conn:
            return _rows(descent.rows_of(conn, self._run(conn, run).id, dead=dead))

    def graph(self, run: str | None = None, *, texts: bool = True) -> networkx.DiGraph[int]:
        """Return the whole lineage of a run as a graph that :mod:`networkx` can write in any format.

        Nodes are ids and carry the columns of ``instructions`` and ``name``; what is NULL is left out, times are
        ISO 8601, ``details`` is JSON. Edges carry ``mutator`` and ``epoch``.

        Args:
            run: Its name; ``None`` is the newest.
            texts: Whether nodes carry ``instruction`` and ``response``.

        Raises:
            RunMissingError: There is no such run.
        """
        with self._conn() as conn:
            return descent.run_graph(conn, self._run(conn, run).id, texts=texts)

    def sql(
        self, query: str, params: Mapping[str, Any] | None = None, *, timeout: float = DEFAULT_TIMEOUT
    ) -> Rows:
        """Ask one SELECT; the database refuses everything else. All rows are held in memory.

        Args:
            query: SQL over the tables and views of the store.
            params: Values for ``:name`` in it.
            timeout: Seconds that the database may work.

        Raises:
            QueryError: It is wrong, tries to write, or takes too long.
        """
        with asking(self._url, query, params, timeout=timeout) as answer:
            columns = unique(answer.columns)
            return Rows(columns, [dict(zip(columns, row, strict=True)) for row in answer.rows])

    def _run(self, conn: Connection, name: str | None) -> Run:
        return get_run(conn, name, shown(self._url))

    def _id(self, conn: Connection, row: int | str, run: str | None) -> int:
        return id_of(conn, str(row), run, shown(self._url))

    def _conn(self) -> Any:
        return self._open() if self._held is None else nullcontext(self._held)

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        with reading(self._url) as engine, engine.connect() as conn:
            yield conn


def unique(columns: Sequence[str]) -> list[str]:
    """Number columns that share a name, so that none hides another: id, id_2, …"""
    names: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in names:
            name, number = f"{column}_{number}", number + 1
        names.append(name)
    return names


def _rows(found: Sequence[dict[str, Any]]) -> Rows:
    named = [{"id": row["id"], "name": name_of(row["id"]), **row} for row in found]
    return Rows(tuple(named[0]) if named else ("id", "name"), named)


def _short(value: Any) -> object:
    """Return what fits into a cell; ids are no quantities, and are shown without separators."""
    found = value if value is None else str(value)
    return found if found is None or len(found) <= _WIDTH else f"{found[:_WIDTH]}…"


def _dtype(values: Sequence[Any]) -> str | None:
    """Return ``Int64`` for whole numbers, some of which may be missing; elsewhere pandas chooses."""
    there = [value for value in values if value is not None]
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in there)
    return "Int64" if there and whole else None
