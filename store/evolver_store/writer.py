"""The one writer of a run: a thread that owns the only write connection.

Rows come in from the event loop, which never waits for the disk; they go out in transactions of up to
``MAX_ROWS`` rows, which wait ``MAX_WAIT`` seconds for each other, so that a completed call is safe within 50 ms.
Every insert is "on conflict do nothing", so every write is safe to repeat.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Executable, Table, bindparam, delete, update
from sqlalchemy.dialects import sqlite

from evolver_store.claim import Claim
from evolver_store.errors import EvolverError, StoreError
from evolver_store.link import Link
from evolver_store.paid import paid_again
from evolver_store.saying import cause_of, is_of_the_row, way_on
from evolver_store.schema import calls, instructions

MAX_ROWS = 200
MAX_WAIT = 0.005  # seconds; with the commit itself, a call is on disk well within 50 ms

Row = dict[str, Any]
_Write = Callable[[Connection, list[Row]], None]
_Item = tuple[_Write, Row]
_T = TypeVar("_T")


def insert_rows(conn: Connection, table: Table, rows: list[Row]) -> int:
    """Insert rows that may be there already; return how many were not. Never commits.

    ``rows`` is a list of dicts with equal keys: one statement, executed many times.
    """
    return conn.execute(_insert(table, conn.dialect.name), rows).rowcount


@cache
def _insert(table: Table, dialect: str) -> Executable:
    """Make the statement once: a run executes it a hundred times a second."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # 40 ms to import, which most stores do without

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _insert_instructions(conn: Connection, rows: list[Row]) -> None:
    insert_rows(conn, instructions, rows)


def _remake_instructions(conn: Connection, rows: list[Row]) -> None:
    failed = (instructions.c.id == bindparam("failed_id")) & (instructions.c.status == "failed")
    conn.execute(delete(instructions).where(failed), [{"failed_id": row["id"]} for row in rows])
    insert_rows(conn, instructions, rows)


def _insert_calls(conn: Connection, rows: list[Row]) -> None:
    if insert_rows(conn, calls, rows) < len(rows):
        again = paid_again(conn, rows)
        if again:
            insert_rows(conn, calls, again)


def _answer_seeds(conn: Connection, rows: list[Row]) -> None:
    columns: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name != "seed_id"}
    seed = (instructions.c.id == bindparam("seed_id")) & (instructions.c.status == "seed")
    conn.execute(update(instructions).where(seed).values(columns), rows)


def _act(conn: Connection, rows: list[Row]) -> None:
    for row in rows:
        row["result"] = row["action"](conn)


def _what_ended(error: BaseException) -> str:
    if is_of_the_row(error):
        return (
            f"a row cannot be stored ({type(error).__name__}: {cause_of(error)}); the run stopped, and every other row "
            "is written. Run the same command again; if it says the same, please report it."
        )
    return (
        f"the store cannot be written ({cause_of(error)}); the run stopped, and what was written before is safe. "
        f"{way_on(error)}"
    )


class Writer:
    """Writes attempts, calls and seeds' answers, each kind in the order it is put, and after them whatever else.

    A connection that the server cut is renewed and the write done again. Whatever else ends the writer, be it the disk,
    the database or a row, is its ``error``: every later put raises it, and so does :meth:`close`.

    Args:
        engine: A store opened for writing.
        on_commit: Called from the writer's thread after each transaction, and when the writer fails.
        claim: Renewed with a lost connection; where another process has taken the run, nothing more is written.
    """

    def __init__(
        self,
        engine: Engine,
        on_commit: Callable[[], None] = lambda: None,
        claim: Claim | None = None,
    ) -> None:
        self._claim = claim
        self._link = Link(engine) if claim is None else Link(engine, claim.renew)
        self._on_commit = on_commit
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._unwritten: dict[int, str] = {}
        self._unwritten_calls: dict[str, Row] = {}
        self._awaited: set[Future[Any]] = set()
        self._failing = threading.Lock()
        self._put = self._written = 0
        self.error: EvolverError | None = None
        self._thread = threading.Thread(target=self._run, name="evolver-writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Rows put and not yet committed."""
        return self._put - self._written

    def put_instruction(self, row: Row, *, again: bool = False) -> None:
        """Hand over a row of ``instructions``; its text can be had from :meth:`text` at once.

        With ``again`` it takes the place of the row of an attempt that failed.
        """
        self._check()
        if row["instruction"] is not None:
            self._unwritten[row["id"]] = row["instruction"]
        self._put += 1
        self._queue.put((_remake_instructions if again else _insert_instructions, row))

    def put_call(self, row: Row) -> None:
        """Hand over a row of ``calls``; it can be had from :meth:`call` at once."""
        self._check()
        self._unwritten_calls[row["key"]] = row
        self._put += 1
        self._queue.put((_insert_calls, row))

    def put_seed_answer(self, row: Row) -> None:
        """Hand over a seed's new columns, with its id as ``seed_id``."""
        self._check()
        self._put += 1
        self._queue.put((_answer_seeds, row))

    def put_action(self, action: Callable[[Connection], _T]) -> Future[_T]:
        """Let ``action`` write, in the transaction of the rows put before it or a later one.

        The future has its result once that is committed.
        """
        done: Future[_T] = Future()
        done.set_running_or_notify_cancel()  # what is handed over is written, whoever stops waiting for it
        with self._failing:
            self._check()
            self._awaited.add(done)
        self._put += 1
        self._queue.put((_act, {"action": action, "done": done}))
        return done

    def text(self, id_: int) -> str | None:
        """Return the instruction of a row that may not be committed yet, else ``None``."""
        return self._unwritten.get(id_)

    def call(self, key: str) -> Row | None:
        """Return a call that may not be committed yet, else ``None``."""
        return self._unwritten_calls.get(key)

    def close(self) -> None:
        """Write what is left and end the thread.

        Raises:
            StoreError: Something could not be written.
        """
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._check()
        if self.pending:
            raise StoreError(
                f"{self.pending} rows were not written when the run ended; what was written before is safe. Run the "
                "same command again: it goes on from there."
            )

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            more = True
            while more:
                batch, more = self._collect()
                if batch:
                    self._write(batch)
                self._tell()
        except BaseException as error:  # noqa: BLE001 - stated below, and raised to everybody who puts or closes
            self._fail(error)
        finally:
            self._link.close()
            self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # an event loop that has closed wants to hear nothing more
            self._on_commit()

    def _fail(self, error: BaseException) -> None:
        failure = error if isinstance(error, EvolverError) else StoreError(_what_ended(error))
        if failure is not error:
            failure.__cause__ = error
        with self._failing:
            self.error = failure
        for done in self._awaited:
            done.set_exception(failure)

    def _write(self, batch: list[_Item]) -> None:
        if self._claim is not None:
            self._claim.check()
        try:
            self._transaction(batch)
        except Exception as error:
            if len(batch) > 1 and is_of_the_row(error):
                self._write_one_by_one(batch)  # one row is at fault, and the others may be paid for
            raise

    def _write_one_by_one(self, batch: list[_Item]) -> None:
        for item in batch:
            with contextlib.suppress(Exception):  # the caller is about to raise it
                self._transaction([item])

    def _transaction(self, batch: list[_Item]) -> None:
        """Write one batch, all of it or nothing."""

        def work(conn: Connection) -> None:
            for write in (_insert_instructions, _remake_instructions, _insert_calls, _answer_seeds, _act):
                rows = [row for how, row in batch if how is write]
                if rows:
                    write(conn, rows)

        self._link.transact(work, repeatable=all(how is not _act for how, _ in batch))
        self._written += len(batch)
        self._forget(batch)

    def _collect(self) -> tuple[list[_Item], bool]:
        item = self._queue.get()
        batch: list[_Item] = []
        if item is not None and item[0] is not _act and self.pending < MAX_ROWS:
            # What comes meanwhile goes with it; to wake for each row costs the event loop turns.
            time.sleep(MAX_WAIT)
        while item is not None:
            batch.append(item)
            if len(batch) == MAX_ROWS or item[0] is _act:  # somebody waits for what an action does
                return batch, True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _forget(self, batch: list[_Item]) -> None:
        for write, row in batch:
            if write in (_insert_instructions, _remake_instructions):
                self._unwritten.pop(row["id"], None)
            elif write is _insert_calls:
                self._unwritten_calls.pop(row["key"], None)
            elif write is _act:
                with self._failing:
                    self._awaited.discard(row["done"])
                row["done"].set_result(row["result"])
