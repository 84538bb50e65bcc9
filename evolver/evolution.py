"""The main job: pool to lineage to dataset. The command line and Python users come in here alike."""

from __future__ import annotations

import asyncio
import threading
from array import array
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from sqlalchemy import Engine

from evolver.calls.ask import Asker, Budget
from evolver.calls.gate import Gate
from evolver.calls.ledger import Ledger
from evolver.calls.prices import Price, prices_for
from evolver.elimination.rules import RuleSet, load_rules
from evolver.errors import EvolverError, StoppedError
from evolver.events import Event, Listener, Merging, Notice, PoolRead, RunStarted
from evolver.facts.spending import Spent, paid_by
from evolver.interpreter import tuned
from evolver.merge.dataset import merge
from evolver.merge.job import MergeReport, MergeSettings, RunSource
from evolver.models.factory import identify, make_model
from evolver.models.identity import ModelIdentity, identity
from evolver.models.protocol import Model, Purpose, Sampling
from evolver.plugins import MutatorSet, load_mutators, parse_mutator_list
from evolver.pool import PoolReport, pool_sha256
from evolver.preflight import check_files
from evolver.report.estimate import Estimate, estimate_run
from evolver.report.session import SessionCount, SessionFigures
from evolver.report.summary import RunStats, run_stats
from evolver.scheduler.attempt import Method
from evolver.scheduler.batching import batching, check_batchable
from evolver.scheduler.prepare import find_or_begin, load_frontier
from evolver.scheduler.run import EvolutionRun, Parts
from evolver.settings import Options, Settings, given_settings
from evolver.shape import Shape, default_name, shape_of
from evolver_store.claim import claimed
from evolver_store.connect import open_for_writing, reading, remove_if_new, store_url
from evolver_store.runs import Run, get_run, unanswered_seeds, update_run

if TYPE_CHECKING:
    import networkx

MutatorLike = Any  # a name, file.py:Name, file.jinja, or an object; see evolver.plugins
RuleLike = str | Callable[..., Any]
ModelLike = Any  # a spec such as openai:gpt-4.1-mini, a LangChain chat model, or anything with complete()


@dataclass(frozen=True, slots=True)
class Result:
    """A finished run.

    ``pool`` tells what was read and skipped, ``None`` where an earlier session read the pool. ``dataset`` is
    ``None`` where no output was asked for. ``stats`` are of the whole run; ``session`` tells what this session paid for
    and what it was served from the cache.
    """

    run: str
    store: str
    stats: RunStats
    dataset: MergeReport | None
    pool: PoolReport | None
    session: SessionFigures = field(default_factory=SessionFigures)

    def graph(self) -> networkx.DiGraph[int]:
        """Return the whole lineage: a node per row of ``instructions``, an edge from parent to child."""
        from evolver_store.lineage import run_graph  # networkx is heavy, and few ask for the graph

        with reading(self.store) as engine, engine.connect() as conn:
            return run_graph(conn, get_run(conn, self.run, self.store).id)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Everything a run needs that can be known, and go wrong, before anything is written."""

    name: str
    shape: Shape
    mutators: MutatorSet
    rules: RuleSet
    identities: dict[Purpose, ModelIdentity]
    prices: dict[Purpose, Price | None]
    models: dict[Purpose, Model]


class Evolution:
    """Evolve a pool over some epochs and merge all generations into one dataset.

    Args:
        pool: A file of instructions, in any of the formats that pools come in.
        model: Which model evolves, judges and answers: a spec such as ``openai:gpt-4.1-mini``, a LangChain chat
            model, or an object with ``async complete(request)``.
        judge_model: Another model for the judge.
        answer_model: Another model for the answers.
        mutators: Names of mutators or presets, files, or mutators in hand; none means the preset.
        rules: Elimination rules besides, or instead of, the built-in ones.
        on_event: Called on the event loop with everything that happens; see ``evolver.events``.
        options: Every other setting by the name of its flag: ``epochs``, ``store``, ``output``, ``seed``, …

    Raises:
        SettingsError: A setting has a value that cannot be.
    """

    def __init__(
        self,
        pool: str | Path,
        *,
        model: ModelLike = "offline",
        judge_model: ModelLike | None = None,
        answer_model: ModelLike | None = None,
        mutators: Sequence[MutatorLike] = (),
        rules: Sequence[RuleLike] = (),
        on_event: Listener | None = None,
        **options: Unpack[Options],
    ) -> None:
        self.settings = given_settings(pool=str(pool), **options)
        self._models: dict[Purpose, ModelLike | None] = {
            "evolve": model,
            "judge": judge_model,
            "answer": answer_model,
        }
        self._mutators = parse_mutator_list(mutators) if isinstance(mutators, str) else tuple(mutators)
        self._rules = (rules,) if isinstance(rules, str) else tuple(rules)
        self._listener = SessionCount(on_event or _ignore)
        self._stop: EvolverError | None = None
        self._stop_now: Callable[[EvolverError], None] = _ignore

    @classmethod
    def of(cls, settings: Settings, on_event: Listener | None = None) -> Evolution:
        """Make one from settings that are complete, as the command line does."""
        made = cls(
            settings.pool,
            model=settings.model,
            judge_model=settings.judge_model,
            answer_model=settings.answer_model,
            mutators=settings.mutators,
            rules=settings.rules,
            on_event=on_event,
        )
        made.settings = settings
        return made

    def run(self) -> Result:
        """Run to the end, or go on with a run that was stopped; also inside a running event loop (a notebook).

        Raises:
            EvolverError: The run cannot start, or stopped with work left; the message says how to go on.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.arun())
        return _in_thread(self)

    async def arun(self) -> Result:
        """Do what :meth:`run` does, inside the event loop of the caller.

        Raises:
            EvolverError: As :meth:`run`.
        """
        try:
            return await self._run()
        finally:
            self._stop = None  # a stop is for one session; the next call goes on

    async def _run(self) -> Result:
        check_files(self.settings)
        plan = await asyncio.to_thread(self._make_plan)
        async with AsyncExitStack() as stack:
            for model in {id(model): model for model in plan.models.values()}.values():
                close = getattr(model, "aclose", None)
                if close is not None:
                    stack.push_async_callback(close)
            for name in sorted(
                {plan.identities[one].name for one, price in plan.prices.items() if price is None}
            ):
                self._listener(
                    Notice(f"No price is known for {name}, so nothing is counted; see --price-in.")
                )
            run, pool = await self._evolve(plan)
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(self._finish, run, pool, loop)

    def stop(self) -> None:
        """Ask the run to stop: calls in flight are finished and written, no new one starts. For any thread."""
        self._stop = StoppedError(
            "the run was stopped; what is finished is stored, the same command goes on."
        )
        self._stop_now(self._stop)

    def estimate(self) -> Estimate:
        """Estimate what is left of the run: calls, tokens and dollars. No model is asked and no key is needed.

        Raises:
            EvolverError: The run could not start, but for a missing key or package.
        """
        first = self._models["evolve"]
        specs = {purpose: first if spec is None else spec for purpose, spec in self._models.items()}
        base_url = self.settings.base_url
        plan = self._plan({purpose: identify(spec, base_url=base_url) for purpose, spec in specs.items()}, {})
        judge = self.settings.judge and plan.rules.judge
        return estimate_run(self.settings, plan.name, plan.mutators, judge=judge, models=plan.identities)

    def _make_plan(self) -> _Plan:
        models = self._make_models()
        identities = {purpose: identity(model) for purpose, model in models.items()}
        check_batchable(self.settings, models, identities)
        return self._plan(identities, models)

    def _plan(self, identities: dict[Purpose, ModelIdentity], models: dict[Purpose, Model]) -> _Plan:
        settings = self.settings
        mutators = MutatorSet(load_mutators(self._mutators, preset=settings.preset))
        rules = load_rules(self._rules, skip=settings.skip_rules, refusal_phrases=settings.refusal_phrases)
        prices = prices_for(identities, settings.price_in, settings.price_out, settings.max_cost)
        sha256 = pool_sha256(settings.pool)
        told = {str(purpose): [one.name, one.base_url, one.settings] for purpose, one in identities.items()}
        shape = shape_of(settings, sha256, mutators, rules, told)
        name = settings.run or default_name(settings.pool, shape)
        return _Plan(name, shape, mutators, rules, identities, prices, models)

    def _make_models(self) -> dict[Purpose, Model]:
        made: dict[Purpose, Model] = {}
        for purpose, spec in self._models.items():
            made[purpose] = (
                made["evolve"]
                if spec is None
                else make_model(
                    spec,
                    base_url=self.settings.base_url,
                    timeout=self.settings.timeout,
                    on_notice=lambda text: self._listener(Notice(text)),
                )
            )
        return made

    async def _evolve(self, plan: _Plan) -> tuple[Run, PoolReport | None]:
        """Begin or find the run, work on it until nothing is left, and say in the store how it ended."""
        url = store_url(self.settings.store)
        with ExitStack() as stack:
            stack.enter_context(claimed(url, plan.name))
            with remove_if_new(url):
                engine = await asyncio.to_thread(open_for_writing, url)
                stack.callback(engine.dispose)
                run, pool = await self._find_or_begin(engine, plan)
            status = "stopped"
            try:
                await self._work(engine, run, plan)
                if self.settings.epochs >= run.epochs:  # a shorter rerun finishes no longer run
                    status = "finished"
            finally:
                update_run(engine, run.id, status=status, finished_at=datetime.now(UTC))
        return run, pool

    async def _find_or_begin(self, engine: Engine, plan: _Plan) -> tuple[Run, PoolReport | None]:
        loop = asyncio.get_running_loop()

        def on_seeds(count: int, report: PoolReport) -> None:
            if self._stop is not None:
                raise self._stop
            loop.call_soon_threadsafe(self._listener, PoolRead(count, sum(report.skipped.values())))

        return await asyncio.to_thread(
            lambda: find_or_begin(
                engine,
                self.settings,
                name=plan.name,
                shape=plan.shape,
                model=plan.identities["evolve"].name,
                on_seeds=on_seeds,
            )
        )

    async def _work(self, engine: Engine, run: Run, plan: _Plan) -> None:
        settings = self.settings
        ledger = Ledger(engine)
        try:
            local = all(one.local for one in plan.identities.values())
            _, (frontier, done), paid, unanswered = await asyncio.gather(
                _nothing() if local else ledger.learn_calls(),
                ledger.read(
                    lambda conn: load_frontier(conn, run, epochs=settings.epochs, attempts=settings.attempts)
                ),
                ledger.read(lambda conn: paid_by(conn, run.id)),
                ledger.read(self._unanswered_seeds(run)),
            )
            gate = Gate(settings.concurrency, rpm=settings.rpm, tpm=settings.tpm)
            method = self._method(run, plan, gate, ledger, paid)
            started = RunStarted(
                run=run.name,
                seeds=run.seeds or 0,
                epochs=settings.epochs,
                done_by_epoch=tuple(done),
                to_answer=len(unanswered),
                resumed=any(done),
                paid=paid,
            )
            self._listener(started)
            async with batching(settings, method, plan.models, ledger, self._listener) as (method, batcher):
                window = settings.batch_window if batcher is not None else None
                parts = Parts(
                    frontier, method, ledger, gate, self._listener, unanswered, local, batcher, window
                )
                with tuned(paid=not local):
                    await self._until_done_or_stopped(EvolutionRun(parts))
        finally:
            await ledger.aclose()

    async def _until_done_or_stopped(self, work: EvolutionRun) -> None:
        loop = asyncio.get_running_loop()
        self._stop_now = lambda error: (loop.call_soon_threadsafe(work.stop, error), None)[1]
        try:
            if self._stop is not None:
                raise self._stop
            await work.run()
        finally:
            self._stop_now = _ignore

    def _method(self, run: Run, plan: _Plan, gate: Gate, ledger: Ledger, paid: Spent) -> Method:
        settings = self.settings
        budget = Budget(settings.max_cost, paid.cost_usd or 0.0)
        askers: dict[Purpose, Asker] = {}
        for purpose, model in plan.models.items():
            who = plan.identities[purpose]
            if (
                not settings.cache
            ):  # keys of this run's own: nothing is shared, and nothing paid goes unrecorded
                who = replace(who, settings=f"{who.settings} run {run.id}".strip())
            askers[purpose] = Asker(
                model,
                who,
                gate=gate,
                log=ledger,
                budget=budget,
                price=plan.prices[purpose],
                report=self._listener,
                timeout=settings.timeout,
            )
        sampling = Sampling(settings.temperature, settings.top_p, max_tokens=settings.max_tokens)
        return Method(run.id, settings.seed, plan.mutators, plan.rules, askers, sampling, settings.judge)

    def _unanswered_seeds(self, run: Run) -> Callable[[Any], array[int]]:
        which = self.settings.answer_seeds
        if which == "none":
            return lambda conn: array("q")
        return lambda conn: array("q", unanswered_seeds(conn, run.id, every=which == "all"))

    def _finish(self, run: Run, pool: PoolReport | None, loop: asyncio.AbstractEventLoop) -> Result:
        """Merge if an output was asked for, and read the figures; in a thread, told of on ``loop``."""
        settings = self.settings

        def on_progress(done: int, total: int) -> None:
            if self._stop is not None:
                raise self._stop
            loop.call_soon_threadsafe(self._listener, Merging(done, total))

        with reading(settings.store) as engine:
            dataset = None
            if settings.output is not None:
                source = RunSource(engine, run.id, run.name)
                how = MergeSettings(format=settings.format, seed=settings.seed, epochs=(0, settings.epochs))
                dataset = merge([source], Path(settings.output), how, on_progress=on_progress)
            with engine.connect() as conn:
                stats = run_stats(conn, run.id, run.seeds or 0)
                session = self._listener.figures(paid_by(conn, run.id))
        return Result(run.name, settings.store, stats, dataset, pool, session)


def _ignore(event: Event | EvolverError) -> None:
    """Do nothing: nobody listens."""


async def _nothing() -> None:
    """Stand in for what need not be done."""


def _in_thread(evolution: Evolution) -> Result:
    """Run in a thread with an event loop of its own; Ctrl-C in the caller's stops the run cleanly."""
    outcome: list[Result] = []
    error: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(asyncio.run(evolution.arun()))
        except BaseException as problem:  # noqa: BLE001 - handed to the caller's thread, which raises it
            error.append(problem)

    thread = threading.Thread(target=work, name="evolver-run")
    thread.start()
    try:
        thread.join()
    except KeyboardInterrupt:
        evolution.stop()
        thread.join()
    if error:
        raise error[0]
    return outcome[0]
