"""The main job: pool to lineage to dataset. The command line and Python users come in here alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from evolver.blocking import run_blocking
from evolver.clients import Clients, make_clients
from evolver.consent import agree
from evolver.errors import StoppedError
from evolver.events import Event, Listener, Notice
from evolver.mainjob import MainJob
from evolver.models.protocol import Purpose
from evolver.notebook import CellProgress, in_notebook
from evolver.plan import Plan, check_batchable, make_plan
from evolver.plugins import parse_mutator_list
from evolver.pool import Pool, PoolSource, reading_of
from evolver.preflight import check_files, check_not_lost
from evolver.report.estimate import SAMPLE, Estimate, estimate_run
from evolver.report.session import SessionCount
from evolver.result import Result
from evolver.scheduler.replay import held_calls
from evolver.settings import Options, Settings, given_settings
from evolver.stop import Stop

MutatorLike = Any  # a name, file.py:Name, file.jinja, or an object; see evolver.plugins
RuleLike = str | Callable[..., Any]
ModelLike = Any  # a spec such as openai:gpt-4.1-mini, a LangChain chat model, or anything with complete()


class Evolution:
    """Evolve a pool over some epochs and merge all generations into one dataset.

    Args:
        pool: A file of instructions, in any of the formats that pools come in (``-`` is standard input), or rows in
            Python: an iterable of dicts or texts, a DataFrame, a ``Dataset``.
        model: Which model evolves, judges and answers: a spec such as ``openai:gpt-4.1-mini``, a LangChain chat
            model, or an object with ``async complete(request)``.
        judge_model: Another model for the judge.
        answer_model: Another model for the answers.
        mutators: Names of mutators or presets, files, or mutators in hand, or a mapping from these to weights
            (``{"deepen": 1, "breadth": 9}``); none means the preset.
        rules: Elimination rules besides, or instead of, the built-in ones.
        on_event: Called on the event loop with everything that happens, as an :data:`evolver.Event`. Without it, a
            notebook shows progress in the cell.
        confirm: That a run which costs money is meant to. Without it, and without ``max_cost``, such a run asks in a
            notebook, and begins with a :class:`evolver.CostWarning` elsewhere.
        options: Every other setting by the name of its flag: ``epochs``, ``store``, ``seed``, … A dataset is written
            where ``output`` names one, and else not.

    Raises:
        SettingsError: A setting has a value that cannot be.
    """

    def __init__(
        self,
        pool: PoolSource,
        *,
        model: ModelLike = "offline",
        judge_model: ModelLike | None = None,
        answer_model: ModelLike | None = None,
        mutators: Sequence[MutatorLike] | Mapping[MutatorLike, float] = (),
        rules: Sequence[RuleLike] = (),
        on_event: Listener | None = None,
        confirm: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.pool = Pool(pool)
        self.settings = given_settings(**{"pool": self.pool.name, "output": None, **options})
        self._specs: dict[Purpose, ModelLike] = {
            "evolve": model,
            "judge": model if judge_model is None else judge_model,
            "answer": model if answer_model is None else answer_model,
        }
        self._mutators = _listed(mutators)
        self._rules = (rules,) if isinstance(rules, str) else tuple(rules)
        self._shown = CellProgress() if on_event is None and in_notebook() else None
        self._listener = SessionCount(on_event or self._shown or _ignore)
        self._agreed = confirm
        self._stop = Stop()
        self._plan: Plan | None = None
        self._clients: Clients | None = None

    @classmethod
    def of(cls, settings: Settings, on_event: Listener | None = None) -> Evolution:
        """Make one from settings that are complete, as the command line does."""
        made = cls(
            settings.pool,
            mutators=settings.mutators,
            rules=settings.rules,
            on_event=on_event,
            confirm=True,  # the command asks by itself
        )
        made.settings = settings
        made._specs = {purpose: settings.asking(purpose).model for purpose in made._specs}
        return made

    def plan(self) -> Plan:
        """Settle what the run will do; made once. No model is asked and no key is needed.

        Raises:
            EvolverError: The run could not start, but for a missing key or package.
        """
        if self._plan is None:
            self.pool.how = reading_of(self.settings)
            self._plan = make_plan(
                self.settings, self.pool, self._specs, mutators=self._mutators, rules=self._rules
            )
        return self._plan

    def estimate(self) -> Estimate:
        """Estimate what is left of the run: calls, tokens and dollars. No model is asked and no key is needed.

        Raises:
            EvolverError: The run could not start, but for a missing key or package.
        """
        plan = self.plan()
        survey = plan.pool.survey(SAMPLE, plan.settings.seed)
        return estimate_run(plan, survey, held_calls(plan, survey.sample))

    def prepare(self) -> Plan:
        """Make sure that the run can start: files, settings, keys and packages. Nothing is written or sent.

        Raises:
            EvolverError: It cannot; the message says why.
        """
        check_files(self.settings)
        plan = self.plan()
        check_not_lost(self.settings, plan.name)
        if self._clients is None:
            self._clients = make_clients(
                plan.specs,
                asking={purpose: self.settings.asking(purpose) for purpose in plan.specs},
                timeout=self.settings.timeout,
                concurrency=self.settings.concurrency,
                on_notice=lambda text: self._listener(Notice(text)),
            )
            check_batchable(plan, self._clients)
        return plan

    def run(self) -> Result:
        """Run to the end, or go on with a run that was stopped; also inside a running event loop (a notebook).

        Ctrl-C finishes and keeps the calls in flight; a second one ends at once.

        Raises:
            EvolverError: The run cannot start, or stopped with work left; the message says how to go on.
        """
        if in_notebook():
            self._agree()  # here, since a kernel answers questions of the cell's own thread alone
        return run_blocking(self.arun, self.stop)

    async def arun(self) -> Result:
        """Do what :meth:`run` does, inside the event loop of the caller, which keeps Ctrl-C.

        Raises:
            EvolverError: As :meth:`run`.
        """
        try:
            plan = await asyncio.to_thread(self.prepare)
            self._agree()
            for name in plan.unpriced:
                self._listener(
                    Notice(
                        f"No price is known for {name}, so no dollars are counted; see --price-as and --price-in. "
                        "--max-calls N bounds the calls."
                    )
                )
            assert self._clients is not None  # made by prepare
            return await MainJob(plan, self._clients, self._listener, self._stop).run()
        finally:
            await self.aclose()
            self._stop.forget()
            if self._shown is not None:
                self._shown.close()

    def stop(self) -> None:
        """Ask the run to stop: calls in flight are finished and written, no new one starts. For any thread."""
        self._stop.request(
            StoppedError("the run was stopped; what is finished is stored, the same command goes on.")
        )

    async def aclose(self) -> None:
        """Let go of what :meth:`prepare` made and no run has used; a run does so by itself."""
        clients, self._clients = self._clients, None
        if clients is not None:
            await clients.aclose()

    def _agree(self) -> None:
        """Make sure once that a run which costs money is meant to."""
        if not self._agreed:
            agree(self.plan(), self.estimate)
            self._agreed = True


def _listed(mutators: Sequence[MutatorLike] | Mapping[MutatorLike, float]) -> tuple[MutatorLike, ...]:
    if isinstance(mutators, str):
        return tuple(parse_mutator_list(mutators))
    return (mutators,) if isinstance(mutators, Mapping) else tuple(mutators)


def _ignore(event: Event) -> None:
    """Do nothing: nobody listens."""
