"""One session of the main job: begin the run or go on with it, evolve, and write what came of it."""

from __future__ import annotations

import asyncio

from sqlalchemy import Engine

from evolver.clients import Clients
from evolver.errors import AllFailedError, BudgetError, OutputError
from evolver.events import Merging, PoolRead
from evolver.plan import Plan
from evolver.pool import PoolReport
from evolver.report.session import SessionCount
from evolver.result import Result, conclude
from evolver.scheduler.evolve import evolve
from evolver.scheduler.prepare import find_or_begin
from evolver.session import Asked, Terms, open_session
from evolver.stop import Stop
from evolver_store.runs import Run


class MainJob:
    """A session, from the claim on the run to its dataset; for one use, inside an event loop.

    Args:
        plan: What the run does.
        clients: Whom it asks; whoever made them closes them.
        listener: Told of everything that happens, on the event loop.
        stop: The wish to stop.
    """

    def __init__(self, plan: Plan, clients: Clients, listener: SessionCount, stop: Stop) -> None:
        self._plan = plan
        self._clients = clients
        self._listener = listener
        self._stop = stop
        self._begun: tuple[Run, PoolReport | None] | None = None

    async def run(self) -> Result:
        """Work until nothing is left, and write the dataset.

        Raises:
            BudgetError: The money is spent; its ``result`` is what there is by then.
            AllFailedError: Every attempt of the session failed; its ``result`` is the run's all the same.
            EvolverError: The run cannot start, or stopped with work left.
        """
        try:
            await self._evolve()
        except BudgetError as error:
            error.result = await self._what_there_is()
            raise
        assert self._begun is not None
        result = await self._conclude(*self._begun)
        count = self._listener
        if count.attempts and count.failed == count.attempts:
            stated = AllFailedError(
                f"every attempt of this session failed ({count.failed:,}), the last one: {count.last_failure}. They "
                "are stored as failed; put this right and run the same command with --retry-failed."
            )
            stated.result = result
            raise stated
        return result

    async def _what_there_is(self) -> Result | None:
        """Write the dataset of a run that stopped for want of money; ``None`` where there is nothing to write."""
        if self._begun is None:
            return None
        try:
            return await self._conclude(*self._begun)
        except OutputError:
            return None

    async def _evolve(self) -> None:
        """Begin or find the run, and work on it until nothing is left."""
        plan, loop = self._plan, asyncio.get_running_loop()

        def on_seeds(count: int, report: PoolReport) -> None:
            self._stop.check()
            loop.call_soon_threadsafe(self._listener, PoolRead(count, sum(report.skipped.values())))

        def begin(engine: Engine) -> Run:
            self._begun = find_or_begin(engine, plan, on_seeds)
            return self._begun[0]

        asked = Asked(self._clients, plan.identities, plan.prices)
        async with open_session(
            plan.name, Terms.of(plan.settings), asked, begin, listener=self._listener, stop=self._stop
        ) as session:
            await evolve(session, plan)

    async def _conclude(self, run: Run, pool: PoolReport | None) -> Result:
        loop = asyncio.get_running_loop()

        def on_progress(done: int, total: int) -> None:
            self._stop.check()
            loop.call_soon_threadsafe(self._listener, Merging(done, total))

        settings = self._plan.settings
        return await asyncio.to_thread(conclude, run, pool, settings, self._listener, on_progress)
