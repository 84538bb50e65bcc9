"""The one place from which models are asked: call cache, money, slot, retry.

The way of a call: look it up among the calls already paid for; set aside what it may cost; wait for a slot (most calls
left first); ask; on a passing failure give the slot back, wait, ask again; count its cost; keep the completion.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from evolver.answers.reading import apart, sound
from evolver.calls.budget import Allowance, Reservation
from evolver.calls.common import Common
from evolver.calls.events import CallEnded, CallRetried
from evolver.calls.forecast import BATCH_FACTOR
from evolver.calls.gate import Call
from evolver.calls.health import LONGEST_OUTAGE, MOST_TRIES
from evolver.calls.key import Origin, call_key
from evolver.calls.prices import Price
from evolver.calls.rows import ROWS_OWN, WITHHELD, Kept, call_row, checked, completion_of, withheld
from evolver.calls.waits import check_wait
from evolver.errors import RowModelError, RunModelError, TransientModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Model, Purpose, Request, Sampling

_PROBE = "Reply with the one word: ready"
_PROBE_TOKENS = 256  # a model that thinks before it answers is cut by it, which is an answer all the same


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion and what it cost in dollars, ``None`` where no price is known."""

    completion: Completion
    cost_usd: float | None


class Asks(Protocol):
    """What an attempt asks: a model, one call at a time or in batches."""

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        ...

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``, as :meth:`Asker.ask` does."""
        ...


class Asker:
    """Asks one model on behalf of a session.

    Args:
        model: The model.
        identity: What tells it from others.
        price: Dollars a token, or ``None`` where no price is known.
        common: What it shares with the other askers.
    """

    def __init__(self, model: Model, identity: ModelIdentity, price: Price | None, common: Common) -> None:
        self._model = model
        self._identity = identity
        self._price = price
        self._common = common
        self._health = common.health(identity)
        self._reads = getattr(model, "reads_answers", False) is True

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        return self._identity.name

    @property
    def identity(self) -> ModelIdentity:
        """Who the model is."""
        return self._identity

    @property
    def common(self) -> Common:
        """What it shares with the other askers."""
        return self._common

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``, from the calls already paid for or from the model.

        Raises:
            RowModelError: It will never be answered, or failed again and again while others were answered.
            RunModelError: No request will be answered.
            BudgetError: The budget does not reach for it; nothing was asked.
            SlotsClosedError: The run is stopping; nothing was asked.
        """
        if self._identity.local:
            return await self._ask_local(request)
        request, known = await self.known(request)
        return known or await self.buy(request, origin, priority)

    def key(self, request: Request) -> str:
        """Return the key under which a call of this model is kept."""
        return call_key(self._identity, request)

    async def known(self, request: Request) -> tuple[Request, Answer | None]:
        """Return the answer to ``request`` if it was ever paid for, and the request to be made where it was not.

        The latter differs from ``request`` in its sample where a withheld answer is to be asked for again.

        Raises:
            RowModelError: It was paid for, and the answer was withheld.
        """
        while (row := await self._common.log.find(self.key(request))) is not None:
            if row["finish_reason"] != WITHHELD or not self._common.again:
                return request, self._served(request, row)
            request = replace(request, sample=f"{request.sample}.r")
        return request, None

    async def buy(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request`` from the model, without a look at the calls already paid for.

        Raises:
            EvolverError: As :meth:`ask`.
        """
        allowance = await self.open_allowance(request, origin)
        try:
            return await self._ask_until_answered(request, origin, allowance, priority)
        finally:
            if allowance is not origin.allowance:
                allowance.close()

    async def open_allowance(self, request: Request, origin: Origin) -> Allowance:
        """Set aside what the work that ``request`` belongs to will cost, if that is not done yet; wait for room.

        Raises:
            BudgetError: The budget does not reach for it.
            SlotsClosedError: The run is stopping.
        """
        allowance = Allowance() if origin.allowance is None else origin.allowance
        after = allowance.after(request.purpose)
        forecast = self._common.forecast
        if (
            self._common.budget.bounded
            and allowance.budget is None
            and request.purpose in allowance.steps[:1]
        ):
            await self._common.log.idle()  # what is paid for in part is to be let in before new work
        await self._common.budget.open(allowance, lambda: forecast.steps(request, after), 1 + len(after))
        return allowance

    def keep_batched(
        self,
        key: str,
        purpose: Purpose,
        request: Request | None,
        origin: Origin,
        completion: Completion,
        hold: Reservation,
        latency_s: float,
    ) -> Answer:
        """Keep and count a completion that came in a batch, at half the price.

        ``request`` is ``None`` where nobody of this session asked; ``hold`` is what was set aside for the batch.

        Raises:
            RowModelError: No database could hold it.
        """
        self._health.note_answer()
        kept = Kept(key, purpose, request, origin, latency_s, BATCH_FACTOR)
        paid, tokens = self._cost(kept, completion)
        self._common.budget.settle_part(hold, paid)
        return self._keep(kept, completion, paid, tokens)

    def _cost(self, kept: Kept, completion: Completion) -> tuple[float | None, tuple[int, int]]:
        """Return a call's dollars and its tokens, counted by the provider or else estimated."""
        tokens = self._common.forecast.counted(kept.request, completion)
        if self._price is None:
            return None, tokens
        if not completion.usage_known:
            self._common.tell_once(
                f"{self.name} counts no tokens; its calls are counted by the length of their texts."
            )
        return kept.factor * self._price.dollars(*tokens), tokens

    def _keep(
        self, kept: Kept, completion: Completion, paid: float | None, tokens: tuple[int, int]
    ) -> Answer:
        """Learn from a call that is paid for, and hand it to the store.

        Raises:
            RowModelError: No database could hold it.
        """
        common = self._common
        if kept.request is not None:
            common.forecast.note(kept.request, completion)
        checked(completion)
        common.log.keep(call_row(kept, self._identity, completion, tokens=tokens, cost_usd=paid))
        common.report(CallEnded(kept.purpose, *tokens, paid, cached=False))
        if not completion.usage_known:
            completion = replace(
                completion, prompt_tokens=tokens[0], completion_tokens=tokens[1], usage_known=True
            )
        return Answer(completion, paid)

    async def _ask_local(self, request: Request) -> Answer:
        self._common.gate.check_open()
        completion = checked(_typed(await self._model.complete(request)))
        tokens = completion.prompt_tokens, completion.completion_tokens
        self._common.report(CallEnded(request.purpose, *tokens, 0.0, cached=False))
        return Answer(completion, 0.0)

    def _served(self, request: Request, row: Mapping[str, Any]) -> Answer:
        tokens = row["prompt_tokens"], row["completion_tokens"]
        self._common.report(CallEnded(request.purpose, *tokens, 0.0, cached=True))
        completion = completion_of(row)
        self._common.forecast.note(request, completion)
        return Answer(completion, row["cost_usd"])

    async def _ask_until_answered(
        self, request: Request, origin: Origin, allowance: Allowance, priority: int
    ) -> Answer:
        """Ask until there is an answer.

        A provider that is short of capacity, or down for a while, is waited for; a request that fails again and again
        is given up once it is known that others are answered.
        """
        common, health = self._common, self._health
        tried = failed = 0
        others = False  # whether others are answered although this one is refused for want of capacity
        since = health.begun
        while True:
            try:
                return await self._try(request, origin, allowance, priority)
            except TransientModelError as error:
                common.report(CallRetried(error.kind))
                self._say_what_is_wrong(error)
                tried += 1
                failed += others or not error.overload
                check_wait(error.retry_after, common.timeout, self.name, common.tell_once)
                if health.out_of_patience(failed, error):
                    if error.overload or health.last_answered <= since:
                        await self._blame(request, origin, error)
                        others = others or error.overload
                    if health.last_answered > since and failed >= MOST_TRIES:
                        raise _given_up(tried, error) from error
                elif failed >= MOST_TRIES and others:
                    raise _given_up(tried, error) from error
                since = health.begun
                await common.gate.back_off(tried, error.retry_after)
            except RowModelError as error:
                if error.kind not in ROWS_OWN:
                    await self.vouch(request, origin.run_id)
                raise

    async def vouch(self, request: Request, run_id: int) -> None:
        """Return if the provider answers others, so that ``request``, which it refused, is itself at fault.

        Raises:
            RunModelError: It answers nobody.
        """
        await self._health.settle(partial(self._probe, request.sampling, run_id))

    async def _blame(self, request: Request, origin: Origin, error: TransientModelError) -> None:
        """Find out whether others are answered; return without an answer where an outage may yet pass.

        Raises:
            RunModelError: The provider answers nobody, for too long.
        """
        health = self._health
        before = health.answered
        try:
            await self.vouch(request, origin.run_id)
        except RunModelError as problem:
            passing = isinstance(problem.__cause__, TransientModelError | TimeoutError)
            if not passing:
                raise
            if not before or health.silence > LONGEST_OUTAGE:
                raise self._stopped(error) from error

    def _stopped(self, error: TransientModelError) -> RunModelError:
        return RunModelError(
            f"{self.name} answers nobody, in spite of many tries, the last time: {error}; the run stopped, and what "
            "is finished is stored. Run the same command again when it answers."
        )

    def _say_what_is_wrong(self, error: TransientModelError) -> None:
        """Name the cause of the first failure at once where nobody was ever answered: a dead or wrong address."""
        if not self._health.answered and not error.overload and error.kind != "timeout":
            self._common.tell_once(f"{error}; it is tried again for a while.")

    async def _try(self, request: Request, origin: Origin, allowance: Allowance, priority: int) -> Answer:
        """Ask once, with a slot in hand; where another asks the same meanwhile, wait for its answer without one."""
        log, key = self._common.log, self.key(request)
        while True:
            async with self._common.gate.slot(priority, request) as call:
                if await log.enter(key):
                    try:
                        return await self._ask_now(key, request, origin, allowance, call)
                    finally:
                        log.leave(key)
                call.unused()
            row = await log.answer(key)
            if row is not None:
                return self._served(request, row)

    async def _ask_now(
        self, key: str, request: Request, origin: Origin, allowance: Allowance, call: Call
    ) -> Answer:
        common, forecast = self._common, self._common.forecast
        if (row := await common.log.find(key)) is not None:
            call.unused()  # it waited for its slot, and a run beside this one has asked the same
            return self._served(request, row)
        hold = await common.budget.reserve(allowance, forecast.likely(request), forecast.most(request))
        paid, calls, started = None, 0, time.monotonic()
        number = self._health.begin()
        try:
            try:
                completion = await self._complete(request)
            except RowModelError as error:
                completion = withheld(error)
            kept = Kept(key, request.purpose, request, origin, time.monotonic() - started)
            paid, tokens = self._cost(kept, completion)
            calls = 1
        except asyncio.CancelledError:
            common.on_loss(common.budget.lose(hold))
            raise
        finally:
            # Before the slot is given back: what is spent beyond the budget is what was in flight.
            common.budget.settle(hold, paid, calls)
        answer = self._keep(kept, completion, paid, tokens)
        if completion.finish_reason == WITHHELD:
            raise RowModelError(completion.text, WITHHELD)
        self._health.note_answer(number)
        call.succeeded(answer.completion)
        return answer

    async def _complete(self, request: Request) -> Completion:
        health = self._health
        try:
            async with asyncio.timeout(self._common.timeout):
                completion = await self._model.complete(request)
                return completion if self._reads else _typed(completion)
        except TimeoutError as error:
            message = f"{self.name} did not answer within {self._common.timeout:g} s"
            late = TransientModelError(message, "timeout")
            health.note_failure(late)
            raise late from error
        except TransientModelError as error:
            health.note_failure(error)
            raise
        finally:
            health.end()

    async def _probe(self, sampling: Sampling, run_id: int) -> None:
        """Ask a short question that any model can answer, in no row's behalf; it is paid and kept like any call."""
        sampling = replace(sampling, max_tokens=min(sampling.max_tokens, _PROBE_TOKENS))
        request = Request("answer", _PROBE, sampling, f"probe {uuid4().hex}")
        await self._try(request, Origin(run_id, None, None), Allowance(), 0)


def _given_up(tried: int, error: TransientModelError) -> RowModelError:
    return RowModelError(f"failed {tried} times, the last time: {error}", error.kind)


def _typed(given: object) -> Completion:
    """Refuse what a model of the user's own gives in place of a completion, and split its reasoning off."""
    if isinstance(given, Completion) and isinstance(given.text, str):
        return apart(sound(given))
    what = "a Completion without a text" if isinstance(given, Completion) else f"a {type(given).__name__}"
    raise RunModelError(
        f"the model's complete() gave {what} where a Completion is wanted; the run stopped, and what is finished is "
        "stored. Mend the model and run the same command again."
    )
