"""A session: everything that work which asks models stands on, from the claim on a run to the word on how it ended.

Who works opens one with :func:`open_session`, asks through its ``askers`` and hands rows to its ``ledger``. What it
opens it closes, in the reverse order, however the work ends; a run is ``finished`` in the store only when the work came
to its end and every row of it is written.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import URL, Engine

from evolver.calls.ask import Asker, Asks
from evolver.calls.budget import Budget
from evolver.calls.common import Common
from evolver.calls.files import slots_that_fit
from evolver.calls.forecast import BATCH_FACTOR, Forecast
from evolver.calls.gate import Gate
from evolver.calls.ledger import Ledger
from evolver.calls.prices import Price
from evolver.calls.trace import traced, traced_model
from evolver.calls.unanswered import Unanswered
from evolver.clients import Clients
from evolver.errors import EvolverError, StoppedError, StoreError
from evolver.events import Listener, Notice, Stopping
from evolver.facts.spending import Spent, paid_by
from evolver.interpreter import tuned
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Purpose
from evolver.settings import Settings
from evolver.stop import Stop
from evolver_store.batches import open_batches
from evolver_store.claim import Claim, claimed
from evolver_store.connect import open_for_writing, remove_if_new, store_url
from evolver_store.key_locks import key_locks
from evolver_store.link import PATIENCE
from evolver_store.runs import Run, update_run

if TYPE_CHECKING:
    from evolver.calls.batch.batcher import Batcher, BatchOptions  # which live runs do without

Begin = Callable[[Engine], Run]
"""Finds the run in an opened store or begins it; called in a thread, with the run's name claimed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How models may be asked: the store, the limits and the money; see the settings of the same names."""

    store: str = field(default="evolve.db", repr=False)  # it may hold a password
    cache: bool = True
    concurrency: int = 64
    rpm: int | None = None
    tpm: int | None = None
    timeout: float = 300.0
    max_cost: float | None = None
    max_calls: int | None = None
    retry_failed: bool = False
    batch: BatchOptions | None = None

    @classmethod
    def of(cls, settings: Settings) -> Terms:
        """Take the terms of a run from its settings."""
        batch = None
        if settings.batch:
            from evolver.calls.batch.batcher import BatchOptions

            batch = BatchOptions(settings.batch_min, settings.batch_fallback == "live", settings.batch_poll)
        return cls(
            store=settings.store,
            cache=settings.cache,
            concurrency=settings.concurrency,
            rpm=settings.rpm,
            tpm=settings.tpm,
            timeout=settings.timeout,
            max_cost=settings.max_cost,
            max_calls=settings.max_calls,
            retry_failed=settings.retry_failed,
            batch=batch,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked: the models, and by purpose who they are and what they cost (``None``: nobody knows)."""

    clients: Clients
    identities: Mapping[Purpose, ModelIdentity]
    prices: Mapping[Purpose, Price | None]

    @property
    def local(self) -> bool:
        """Whether every model answers in this process, for nothing."""
        return all(who.local for who in self.identities.values())


@dataclass(slots=True)
class Session:
    """An open session; :func:`open_session` makes it.

    ``askers`` answer requests, from the calls already paid for, live or in batches; ``batcher`` is what gathers them in
    the latter case. ``paid`` is what earlier sessions of the run have paid for; ``lost`` the dollars of what they had
    in flight when they were killed. ``stopping`` is set when no more calls start; ``error`` says why. ``whole`` is
    false where the work of the session is but a part of the run, so that its end is not the run's.
    """

    run: Run
    ledger: Ledger
    common: Common
    askers: Mapping[Purpose, Asks]
    local: bool
    listener: Listener
    batcher: Batcher | None = None
    paid: Spent = Spent()  # noqa: RUF009 - frozen
    whole: bool = True
    lost: float = 0.0
    error: BaseException | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    learning: asyncio.Future[None] | None = None

    async def learn(self) -> None:
        """Wait until it is known which calls are paid for and what the run has spent; nothing is asked before.

        Raises:
            StoreError: The store cannot be read.
        """
        if self.learning is not None:
            await self.learning

    def stop(self, error: BaseException) -> bool:
        """Let no more calls start; those in flight are finished and written. Return whether this was news."""
        if self.error is not None:
            return False
        self.error = error
        self.stopping.set()
        self.common.close()
        if self.batcher is not None:
            self.batcher.close()
        self.listener(Stopping(str(error), self.common.gate.in_flight, isinstance(error, StoppedError)))
        return True


@asynccontextmanager
async def open_session(
    name: str, terms: Terms, asked: Asked, begin: Begin, *, listener: Listener, stop: Stop
) -> AsyncIterator[Session]:
    """Claim the run ``name``, open its store, begin or find it, and make ready to ask.

    The block does the work. If it ends without an error, with every row written, the run is ``finished``, else
    ``stopped``; one that ``begin`` found finished stays so.

    Raises:
        RunBusyError: Another process works on that run.
        StoreError: The store cannot be opened, read or written.
        ModelError: A provider could not be asked about a batch whose submission was never confirmed.
        EvolverError: Somebody wished to stop before, or whatever ``begin`` and the block raise.
    """
    async with AsyncExitStack() as stack:
        url = store_url(terms.store)
        claim = await stack.enter_async_context(_claimed(url, name))
        with remove_if_new(url):
            engine = await asyncio.to_thread(open_for_writing, url)
            stack.callback(engine.dispose)
            try:
                stop.check()
                run = await asyncio.to_thread(begin, engine)
            except BaseException:
                engine.dispose()  # or our own connections would keep an empty store from being taken away
                raise
        status = "stopped"
        try:
            async with AsyncExitStack() as working:
                session = await _make(working, run, engine, claim, terms, asked, listener)
                working.enter_context(stop.heard_by(_on_loop(session)))
                yield session
                if session.error is not None:
                    raise session.error
            status = "finished" if session.whole else "stopped"
        finally:
            if run.status != "finished":
                await asyncio.to_thread(_ended, engine, run, status, sys.exception())


def _ended(engine: Engine, run: Run, status: str, error: BaseException | None) -> None:
    """Write down how a run ended.

    Where the store is what ended it, that is what is to be told, not that it takes this no more than the rest.
    """
    now = datetime.now(UTC)
    broken = isinstance(error, StoreError)
    with suppress(StoreError) if broken else nullcontext():
        update_run(engine, run.id, patience=0.0 if broken else PATIENCE, status=status, finished_at=now)


def _on_loop(session: Session) -> Callable[[EvolverError], None]:
    """Return what stops the session from any thread."""
    loop = asyncio.get_running_loop()
    return lambda error: (loop.call_soon_threadsafe(session.stop, error), None)[1]


@asynccontextmanager
async def _claimed(url: URL, name: str) -> AsyncIterator[Claim]:
    """Claim a run in a thread: a server, or a folder over a network, may take its time."""
    claim = claimed(url, name)
    held = await asyncio.to_thread(claim.__enter__)
    try:
        yield held
    finally:
        await asyncio.to_thread(claim.__exit__, None, None, None)


async def _make(
    working: AsyncExitStack,
    run: Run,
    engine: Engine,
    claim: Claim,
    terms: Terms,
    asked: Asked,
    listener: Listener,
) -> Session:
    ledger = Ledger(engine, claim, key_locks(store_url(terms.store), run.name))
    working.push_async_callback(ledger.aclose)
    common = Common(
        Gate(_slots(terms, asked, listener), rpm=terms.rpm, tpm=terms.tpm),
        ledger,
        Budget(terms.max_cost, most_calls=terms.max_calls),
        Forecast(asked.prices, 1.0 if terms.batch is None else BATCH_FACTOR),
        listener,
        terms.timeout,
        terms.retry_failed,
    )
    askers = _askers(run, terms, asked, common)
    session = Session(run, ledger, common, askers, asked.local, listener)
    await _mind_the_unanswered(working, session, Unanswered(ledger, run))
    working.push_async_callback(session.learn)  # awaited in any case: its queries run in the ledger's threads
    session.learning = asyncio.ensure_future(_learn(session))
    if terms.batch is not None:
        from evolver.calls.batch.batcher import Batcher
        from evolver.calls.batch.store import BatchStore

        batcher = Batcher(BatchStore(ledger, run.id), listener, terms.batch)
        session.askers = batcher.askers(askers, asked.clients.models)
        session.batcher = await working.enter_async_context(batcher)
    else:
        await _warn_of_batches(session)
    session.askers = traced(session.askers)
    working.enter_context(tuned(paid=not asked.local))
    return session


def _slots(terms: Terms, asked: Asked, listener: Listener) -> int:
    """Return the most calls in flight, fewer than was asked for where so many connections cannot be open."""
    servers = max(len(who.addresses) for who in asked.identities.values())  # each keeps its connections
    fitting = terms.concurrency if asked.local else slots_that_fit(terms.concurrency * servers) // servers
    fitting = max(1, fitting)
    if fitting < terms.concurrency:
        listener(
            Notice(
                f"Only {fitting:,} of {terms.concurrency:,} calls are in flight at a time: this process may have no "
                "more files open. Raise the limit with 'ulimit -n'."
            )
        )
    return fitting


async def _learn(session: Session) -> None:
    paid = session.ledger.read(lambda conn: paid_by(conn, session.run.id))
    if session.local:
        session.paid = await paid
    else:
        session.paid, _ = await asyncio.gather(paid, session.ledger.learn_calls())
    budget = session.common.budget
    budget.spent, budget.calls = (session.paid.cost_usd or 0.0) + session.lost, session.paid.calls


def _askers(run: Run, terms: Terms, asked: Asked, common: Common) -> dict[Purpose, Asks]:
    made: dict[Purpose, Asks] = {}
    for purpose, model in asked.clients.models.items():
        who = asked.identities[purpose]
        if not terms.cache:
            # Keys of this run's own: nothing is shared, and nothing paid goes unrecorded.
            who = replace(who, settings=f"{who.settings} run {run.id}".strip())
        made[purpose] = Asker(traced_model(model, who.name), who, asked.prices[purpose], common)
    return made


async def _mind_the_unanswered(working: AsyncExitStack, session: Session, unanswered: Unanswered) -> None:
    """Count what a killed session had in flight as spent, and keep on disk what is in flight now."""
    budget = session.common.budget
    if budget.most is None:
        return
    session.lost = unanswered.lost
    budget.note = unanswered.note
    session.common.on_loss = unanswered.lose

    async def end() -> None:
        with suppress(StoreError):  # whoever closes the ledger is about to say so
            await unanswered.end()

    working.push_async_callback(end)
    if unanswered.killed:
        session.listener(
            Notice(
                f"Calls of up to ${unanswered.killed:.2f} were in flight when this run was killed; the provider may "
                "bill them, so they count as spent."
            )
        )


async def _warn_of_batches(session: Session) -> None:
    in_flight = await session.ledger.read(lambda conn: open_batches(conn, session.run.id))
    if in_flight:
        requests = sum(batch.requests for batch in in_flight)
        session.listener(
            Notice(
                f"{requests:,} requests of this run are in flight in batches; without --batch they are asked, and "
                "paid, once more. Stop and add --batch to collect them."
            )
        )
