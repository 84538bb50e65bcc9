"""Evolve: from an open session and a plan to a lineage in which no attempt is left to be made."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping

from sqlalchemy import Connection

from evolver.calls.ask import Asks
from evolver.events import RunStarted
from evolver.facts.attempts import Tally, outcomes
from evolver.models.protocol import Purpose
from evolver.plan import Plan
from evolver.scheduler.attempt import Method
from evolver.scheduler.jobs import Attempts, FailedAttempts, SeedAnswers
from evolver.scheduler.prepare import load_standing
from evolver.session import Session
from evolver.settings import Settings
from evolver.workers import Workers
from evolver_store.runs import Run, unanswered_seeds


async def evolve(session: Session, plan: Plan) -> None:
    """Make every attempt of a run that is not made yet, and answer the seeds that wait for it.

    Raises:
        EvolverError: The run stopped with work left.
    """
    settings, run, ledger = plan.settings, session.run, session.ledger
    session.whole = settings.epochs >= run.epochs
    standing, ended, unanswered, _ = await asyncio.gather(
        ledger.read(
            lambda conn: load_standing(
                conn,
                run,
                epochs=settings.epochs,
                attempts=settings.attempts,
                retry_failed=settings.retry_failed,
            )
        ),
        ledger.read(lambda conn: _outcomes(conn, run, settings)),
        ledger.read(lambda conn: _unanswered(conn, run, settings.answer_seeds)),
        session.learn(),
    )
    session.listener(
        RunStarted(
            run=run.name,
            seeds=run.seeds or 0,
            epochs=settings.epochs,
            done_by_epoch=tuple(standing.done),
            to_answer=len(unanswered),
            resumed=any(standing.done),
            paid=session.paid,
            outcomes=ended,
        )
    )
    method = method_of(plan, run.id, session.askers)
    await Workers(
        session,
        FailedAttempts(standing.failed, method, ledger, session.listener),
        Attempts(standing.frontier, method, ledger, session.listener, again=settings.retry_failed),
        SeedAnswers(unanswered, method, ledger, session.listener),
        window=settings.batch_window if session.batcher is not None else None,
    ).run()


def _outcomes(conn: Connection, run: Run, settings: Settings) -> Tally:
    """What became of the attempts that stand; those that failed do not where they are made again."""
    total = Tally()
    for epoch, tally in outcomes(conn, run.id).by_epoch().items():
        if epoch <= settings.epochs:
            total += tally
    if settings.retry_failed:
        total.attempts -= total.failed.total()
        total.failed.clear()
    return total


def method_of(plan: Plan, run_id: int, askers: Mapping[Purpose, Asks]) -> Method:
    """Return what decides the attempts of a plan."""
    call_settings = {purpose: plan.call_settings(purpose) for purpose in askers}
    return Method(
        run_id,
        plan.settings.seed,
        plan.mutators,
        plan.rules,
        askers,
        call_settings,
        judge=plan.settings.judge,
    )


def _unanswered(conn: Connection, run: Run, which: str) -> array[int]:
    return array("q", () if which == "none" else unanswered_seeds(conn, run.id, every=which == "all"))
