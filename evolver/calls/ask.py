"""The one place from which models are asked: call cache, slot, retry, limits, money.

The way of a call: look it up among the calls already paid for; wait for a slot (most calls left first); ask; on a
passing failure give the slot back, wait, ask again; keep the completion; count its cost.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Protocol

from evolver.calls.events import CallEnded, CallEvent, CallRetried
from evolver.calls.gate import Gate
from evolver.calls.prices import Price
from evolver.errors import BudgetError, RowModelError, RunModelError, TransientModelError
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Completion, Model, Purpose, Request
from evolver.models.reading import apart
from evolver.text import storable

MOST_TRIES = 8
BATCH_FACTOR = 0.5  # of the live price, at OpenAI and at Anthropic alike
_encode = json.JSONEncoder(separators=(",", ":")).encode
_LONGEST_SILENCE = 900.0  # seconds without a single answer, after which an overloaded provider is left alone
REPLIES = frozenset({"server_error", "malformed"})  # failures that a server in order may make of a request
_REFUSED_IN_A_ROW = (
    20  # requests refused as malformed, and none answered: the settings are wrong, not the rows
)


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf a call is made; stored with it."""

    run_id: int
    root_id: int | None
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion and what it cost in dollars, ``None`` where no price is known."""

    completion: Completion
    cost_usd: float | None


class CallLog(Protocol):
    """Where completed calls are kept."""

    async def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the row of ``calls`` under that key, if it was ever paid for."""
        ...

    def keep(self, row: dict[str, Any]) -> None:
        """Store a row of ``calls``."""
        ...


class Asks(Protocol):
    """What an attempt asks: a model, one call at a time or in batches."""

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        ...

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``, as :meth:`Asker.ask` does."""
        ...


class Budget:
    """The dollars a run may spend, and has spent.

    Args:
        most: ``--max-cost``, or ``None`` for no bound.
        spent: What earlier sessions of the same run have spent.
    """

    def __init__(self, most: float | None, spent: float = 0.0) -> None:
        self.most = most
        self.spent = spent

    def check(self) -> None:
        """Make sure that another call may start.

        Raises:
            BudgetError: The budget is spent.
        """
        if self.most is not None and self.spent >= self.most:
            raise BudgetError(
                f"the run has spent ${self.spent:.2f} of the ${self.most:.2f} that --max-cost allows; it stopped, and "
                "what is paid for is stored. Run the same command with a larger --max-cost to go on."
            )

    def add(self, cost_usd: float | None) -> None:
        """Count a completed call."""
        self.spent += cost_usd or 0.0


@dataclass(slots=True)
class _Patience:
    """What one request has been through; ``answered`` counts those the model had answered when it failed last."""

    answered: int
    tried: int = 0
    failed: int = 0

    @property
    def over(self) -> bool:
        """Whether it has failed often enough."""
        return self.failed >= MOST_TRIES

    def note(self, error: TransientModelError) -> None:
        """Count a failure; want of capacity is no fault of the request."""
        self.tried += 1
        self.failed += not error.overload


def call_key(identity: ModelIdentity, request: Request) -> str:
    """Return the key of a call: a digest of everything that shapes its completion (32 hexadecimal digits)."""
    sampling = request.sampling
    shape = [
        identity.provider,
        identity.base_url,
        identity.name,
        identity.settings,
        sampling.temperature,
        sampling.top_p,
        sampling.frequency_penalty,
        sampling.max_tokens,
        request.system,
        request.prompt,
        request.sample,
    ]
    return blake2b(_encode(shape).encode(), digest_size=16).hexdigest()


class Asker:
    """Asks one model on behalf of a run.

    Args:
        model: The model.
        identity: What tells it from others.
        gate: The slots and limits, shared by all askers of a run.
        log: Where completed calls are kept.
        budget: The run's money, shared likewise.
        price: Dollars a token, or ``None`` where no price is known.
        report: Told of every call that ended or is tried again.
        timeout: Seconds after which a call counts as failed and is tried again.
    """

    def __init__(
        self,
        model: Model,
        identity: ModelIdentity,
        *,
        gate: Gate,
        log: CallLog,
        budget: Budget,
        price: Price | None,
        report: Callable[[CallEvent], None],
        timeout: float = 300.0,
    ) -> None:
        self._model = model
        self._identity = identity
        self._gate = gate
        self._log = log
        self._budget = budget
        self._price = price
        self._report = report
        self._timeout = timeout
        self._answered = self._refused = self._failing = 0
        self._answered_at = time.monotonic()

    @property
    def name(self) -> str:
        """The model's name as the lineage records it."""
        return self._identity.name

    @property
    def identity(self) -> ModelIdentity:
        """Who the model is."""
        return self._identity

    @property
    def budget(self) -> Budget:
        """The run's money."""
        return self._budget

    @property
    def price(self) -> Price | None:
        """Dollars a token when asked live, or ``None`` where no price is known."""
        return self._price

    async def ask(self, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request``, from the calls already paid for or from the model.

        Raises:
            RowModelError: It will never be answered, or failed again and again while others were answered.
            RunModelError: No request will be answered.
            BudgetError: The budget is spent; nothing was asked.
            SlotsClosedError: The run is stopping; nothing was asked.
        """
        if self._identity.local:
            return await self._ask_local(request)
        key = self.key(request)
        return await self.known(key, request) or await self.buy(key, request, origin, priority)

    def key(self, request: Request) -> str:
        """Return the key under which a call of this model is kept."""
        return call_key(self._identity, request)

    async def known(self, key: str, request: Request) -> Answer | None:
        """Return the answer to ``request`` if it was ever paid for."""
        row = await self._log.find(key)
        return None if row is None else self._served(request, row)

    async def buy(self, key: str, request: Request, origin: Origin, priority: int) -> Answer:
        """Return the completion of ``request`` from the model, without a look at the calls already paid for.

        Raises:
            EvolverError: As :meth:`ask`.
        """
        completion, paid, latency = await self._insist(request, priority)
        return self._keep(key, request.purpose, origin, completion, paid, latency)

    def keep_batched(
        self, key: str, purpose: Purpose, origin: Origin, completion: Completion, latency: float
    ) -> Answer:
        """Keep and count a completion that came in a batch, at half the price.

        Raises:
            RowModelError: No database could hold it.
        """
        checked(completion)
        paid = None if self._price is None else self._price.of(completion, factor=BATCH_FACTOR)
        self._budget.add(paid)
        self._answered += 1
        self._answered_at = time.monotonic()
        return self._keep(key, purpose, origin, completion, paid, latency)

    def _keep(
        self,
        key: str,
        purpose: Purpose,
        origin: Origin,
        completion: Completion,
        paid: float | None,
        latency: float,
    ) -> Answer:
        self._log.keep(self._row(key, purpose, origin, completion, paid, latency))
        tokens = completion.prompt_tokens, completion.completion_tokens
        self._report(CallEnded(purpose, *tokens, paid, cached=False))
        return Answer(completion, paid)

    async def _ask_local(self, request: Request) -> Answer:
        self._gate.check_open()
        completion = checked(_typed(await self._model.complete(request)))
        tokens = completion.prompt_tokens, completion.completion_tokens
        self._report(CallEnded(request.purpose, *tokens, 0.0, cached=False))
        return Answer(completion, 0.0)

    def _served(self, request: Request, row: Mapping[str, Any]) -> Answer:
        tokens = row["prompt_tokens"], row["completion_tokens"]
        self._report(CallEnded(request.purpose, *tokens, 0.0, cached=True))
        refusal = row["completion"] if row["finish_reason"] == "refusal" else None
        completion = Completion(
            "" if refusal else row["completion"],
            row["finish_reason"],
            *tokens,
            refusal,
            row.get("reasoning"),
            row.get("reasoning_tokens") or 0,
        )
        return Answer(apart(completion), row["cost_usd"])  # older stores hold reasoning and answer in one

    async def _insist(self, request: Request, priority: int) -> tuple[Completion, float | None, float]:
        """Ask until there is an answer; return it with its dollars and the seconds the successful call took.

        A provider that is short of capacity is waited for, as long as it answers anybody; other failures count.
        The money is looked at with the slot in hand and counted before the slot is given back, so that what is
        spent beyond the budget is what was in flight when it ran out.
        """
        patience = _Patience(self._answered)
        try:
            while True:
                try:
                    return await self._try(request, priority)
                except TransientModelError as error:
                    self._report(CallRetried(error.kind))
                    self._failing += patience.tried == 0
                    patience.note(error)
                    if patience.over or time.monotonic() - self._answered_at > _LONGEST_SILENCE:
                        raise self._given_up(error, patience) from error
                    patience.answered = self._answered
                    await self._gate.back_off(patience.tried, error.retry_after)
                except RowModelError as error:
                    self._note_refused(error)
                    raise
        finally:
            self._failing -= patience.tried > 0

    async def _try(self, request: Request, priority: int) -> tuple[Completion, float | None, float]:
        async with self._gate.slot(priority, request) as call:
            self._budget.check()
            started = time.monotonic()
            completion = await self._complete(request)
            paid = None if self._price is None else self._price.of(completion)
            self._budget.add(paid)
            self._answered += 1
            self._answered_at = time.monotonic()
            call.succeeded(completion)
            checked(completion)  # after its money is counted
            return completion, paid, self._answered_at - started

    async def _complete(self, request: Request) -> Completion:
        try:
            async with asyncio.timeout(self._timeout):
                return _typed(await self._model.complete(request))
        except TimeoutError as error:
            message = f"{self.name} did not answer within {self._timeout:g} s"
            raise TransientModelError(message, "timeout") from error

    def _given_up(self, error: TransientModelError, patience: _Patience) -> RowModelError | RunModelError:
        """Tell one request that always fails from a provider that answers nobody.

        It is the request if others were answered between its last two failures (a server that went down answered
        some before), or if it is the only one that asks and does get replies.
        """
        alone = self._failing == 1 and error.kind in REPLIES
        if patience.over and (self._answered > patience.answered or alone):
            return RowModelError(f"failed {patience.tried} times, the last time: {error}", error.kind)
        return RunModelError(
            f"{self.name} answers nobody, in spite of many tries, the last time: {error}; the run stopped, and what "
            "is finished is stored. Run the same command again when it answers."
        )

    def _note_refused(self, error: RowModelError) -> None:
        self._refused += error.kind == "bad_request"
        if not self._answered and self._refused >= _REFUSED_IN_A_ROW:
            raise RunModelError(
                f"{self.name} refused each of the first {self._refused} requests, the last time: {error}; the run "
                "stopped. Check the model's name and the sampling settings."
            ) from error

    def _row(
        self,
        key: str,
        purpose: Purpose,
        origin: Origin,
        completion: Completion,
        cost: float | None,
        latency: float,
    ) -> dict[str, Any]:
        return {
            "key": key,
            "run_id": origin.run_id,
            "root_id": origin.root_id,
            "epoch": origin.epoch,
            "purpose": purpose,
            "provider": self._identity.provider,
            "model": self._identity.name,
            "completion": completion.text if completion.refusal is None else completion.refusal,
            "finish_reason": completion.finish_reason if completion.refusal is None else "refusal",
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "reasoning": completion.reasoning,
            "reasoning_tokens": completion.reasoning_tokens or None,
            "cost_usd": cost,
            "latency_s": latency,
            "created_at": datetime.now(UTC),
        }


def _typed(given: object) -> Completion:
    """Refuse what a model of the user's own gives in place of a completion, and split its reasoning off."""
    if isinstance(given, Completion) and isinstance(given.text, str):
        return apart(given)
    what = "a Completion without a text" if isinstance(given, Completion) else f"a {type(given).__name__}"
    raise RunModelError(
        f"the model's complete() gave {what} where a Completion is wanted; the run stopped, and what is finished is "
        "stored. Mend the model and run the same command again."
    )


def checked(completion: Completion) -> Completion:
    """Return a completion that every database and every file can hold.

    Raises:
        RowModelError: This one cannot be held.
    """
    if storable(completion.text) and (completion.refusal is None or storable(completion.refusal)):
        return completion
    raise RowModelError("the completion holds a NUL byte or half a character", "unstorable")
