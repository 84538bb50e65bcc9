"""What the models of a run answer: one call for each purpose, before anything is begun. Nothing is stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from evolver.answers.failures import RUN_STOPPED
from evolver.answers.reading import apart
from evolver.calls.forecast import Forecast
from evolver.clients import addresses, make_clients
from evolver.elimination.judge import parse_judgement
from evolver.elimination.verdict import Candidate
from evolver.errors import EvolverError, TransientModelError
from evolver.models.protocol import Completion, Model, Purpose, Request, Sampling
from evolver.plan import Plan
from evolver.quoting import public_url
from evolver.scheduler.attempt import ask_whole
from evolver_templates import render

EXAMPLE = "Explain to a child why the sky is blue, in three sentences."
"""What is evolved where there is no pool."""

_HARDER = (
    "{0}\n\nThen compare two ways of doing it, name one cost of each, and say which of them you would choose for a "
    "school with a budget of 100 dollars, and why."
)
_WORTH_TELLING = 1.0  # seconds that a server asks to wait


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what it is called: ``equal`` and ``unequal`` are the judge's."""

    name: str
    prompt: str
    system: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Finding:
    """What came of the calls of one purpose.

    ``parameters`` are the sentences about what its server refuses; ``max_tokens`` the limit at which the answer was
    whole; ``reasoning`` says where it stood: ``field``, ``text``, ``hidden`` where only its tokens are counted.
    ``counted`` is false where the server counts no tokens, and they are estimated. ``verdicts`` hold what the judge
    said of an equal and of an unequal pair. ``problem`` says why the purpose cannot work; ``None`` where it can.
    """

    purpose: Purpose
    model: str
    address: str | None
    answered_by: str | None = None
    parameters: list[str] = field(default_factory=list)
    max_tokens: int | None = None
    reasoning: str | None = None
    reasoning_tokens: int = 0
    finish_reason: str | None = None
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    counted: bool = True
    cost_usd: float | None = None
    seconds: float = 0.0
    verdicts: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str | None = None


async def check(plan: Plan) -> list[Finding]:
    """Ask each purpose's model, at each of its addresses, about the first seed of the pool; the judge is asked twice.

    What goes wrong with a model is in its finding. Nothing is stored, and nothing is asked a second time but an answer
    that the token limit cut.

    Raises:
        EvolverError: The pool cannot be read, or a mutator fails.
    """
    seed = await asyncio.to_thread(lambda: next(iter(plan.pool.seeds())).instruction)
    each = [
        _checked(plan, purpose, url, seed)
        for purpose in plan.asked
        for url in addresses(plan.settings.asking(purpose).base_url)
    ]
    return list(await asyncio.gather(*each))


async def _checked(plan: Plan, purpose: Purpose, url: str | None, seed: str) -> Finding:
    who, settings = plan.identities[purpose], plan.settings
    found = Finding(purpose, who.name, who.base_url if url is None else public_url(url))
    started = time.monotonic()
    try:
        clients = make_clients(
            {purpose: plan.specs[purpose]},
            asking={purpose: replace(settings.asking(purpose), base_url=None if url is None else (url,))},
            timeout=settings.timeout,
            on_notice=found.parameters.append,
        )
        try:
            started = time.monotonic()
            asking = _Asking(plan, found, clients.models[purpose])
            await asyncio.gather(
                *(asking.ask(question, seed) for question in _questions(plan, purpose, seed))
            )
        finally:
            await clients.aclose()
    except EvolverError as error:
        found.problem = _told(error)
    found.seconds = time.monotonic() - started
    if found.problem is None:
        judged(found)
    return found


def _questions(plan: Plan, purpose: Purpose, seed: str) -> Iterator[Question]:
    """Yield what a run would ask first."""
    if purpose == "judge":
        for name, second in (("equal", seed), ("unequal", _HARDER.format(seed))):
            yield Question(name, render("judge/equality.jinja", first=seed, second=second))
    elif purpose == "answer":
        yield Question("answer", seed)
    else:
        mutator = next((one for one in plan.mutators if one.needs_call), None)
        if mutator is not None:
            prompt = mutator.prompt(seed, Random(plan.settings.seed))
            yield Question(mutator.name, prompt.text, prompt.system, mutator.sampling)


@dataclass(frozen=True, slots=True)
class _Asking:
    """The calls of one purpose."""

    plan: Plan
    found: Finding
    model: Model

    async def ask(self, question: Question, seed: str) -> None:
        """Ask, and note what came back."""
        found, settings = self.found, self.plan.call_settings(self.found.purpose)

        async def once(sampling: Sampling) -> Completion:
            return await self._once(
                settings.request(
                    found.purpose, question.prompt, question.name, sampling=sampling, system=question.system
                )
            )

        answer, limit = await ask_whole(
            once, replace(settings.sampling, **question.sampling), settings.most_tokens
        )
        found.max_tokens = max(limit, found.max_tokens or 0)
        found.finish_reason = answer.finish_reason
        if found.purpose == "judge":
            found.verdicts[question.name] = parse_judgement(answer.text)
        self._read(answer, limit, question, seed)

    async def _once(self, request: Request) -> Completion:
        found, plan = self.found, self.plan
        try:
            async with asyncio.timeout(plan.settings.timeout):
                answer = apart(await self.model.complete(request))
        except TimeoutError as error:
            message = f"{found.model} did not answer within {plan.settings.timeout:g} s; see --timeout"
            raise TransientModelError(message, "timeout") from error
        prompt, completion = Forecast(plan.prices).counted(request, answer)
        price = plan.prices[found.purpose]
        found.calls += 1
        found.prompt_tokens += prompt
        found.completion_tokens += completion
        found.reasoning_tokens += answer.reasoning_tokens
        found.counted = found.counted and answer.usage_known
        found.answered_by = answer.answered_by or found.answered_by
        if price is not None:
            found.cost_usd = (found.cost_usd or 0.0) + price.dollars(prompt, completion)
        hidden = "hidden" if answer.reasoning_tokens else None
        found.reasoning = found.reasoning or answer.reasoning_in or ("field" if answer.reasoning else hidden)
        return answer

    def _read(self, answer: Completion, limit: int, question: Question, seed: str) -> None:
        """Hold an answer to what a run would make of it."""
        found = self.found
        if answer.finish_reason == "refusal":
            found.notes.append(f"{found.purpose}: the model refuses the first row: {answer.refusal}")
        elif answer.finish_reason == "length":
            thinking = not answer.text.strip()
            what = "while it thinks, before it says anything," if thinking else "in its answer"
            option = "--max-tokens-limit" if thinking else "--max-tokens"
            found.problem = (
                f"{found.model} is cut {what} at {limit:,} tokens. Raise {option}, or let it think less."
            )
        elif not answer.text.strip():
            found.problem = f"{found.model} answered with an empty text."
        elif found.purpose == "evolve":
            self._hold_to_rules(answer, question, seed)

    def _hold_to_rules(self, answer: Completion, question: Question, seed: str) -> None:
        mutator = next(one for one in self.plan.mutators if one.name == question.name)
        try:
            text = mutator.parse(answer.text)
        except ValueError as error:
            self.found.notes.append(f"evolve: {mutator.name} cannot use the reply: {error}")
            return
        drop = self.plan.rules.check_instruction(
            Candidate(
                seed, text, finish_reason=answer.finish_reason, mutator=mutator.name, markers=mutator.markers
            )
        )
        if drop is not None:
            self.found.notes.append(f"evolve: this rewrite would die of {drop.rule}: {drop.reason}")


def judged(found: Finding) -> None:
    """Say what the verdicts of a judge mean for a run; nothing where it was not asked."""
    verdicts = found.verdicts
    if not verdicts:
        return
    if set(verdicts.values()) == {"undecided"}:
        found.problem = (
            f"{found.model} says neither Equal nor Not Equal, so its verdict is never read. Name another "
            "--judge-model, or leave the judge out with --no-judge."
        )
    elif verdicts["unequal"] == "equal":
        found.problem = (
            f"{found.model} calls an instruction and a harder one equal, so every rewrite would die. Name another "
            "--judge-model, or leave the judge out with --no-judge."
        )
    elif verdicts["equal"] != "equal":
        found.notes.append("judge: two equal instructions are not called equal, so it lets everything live.")


def _told(error: EvolverError) -> str:
    """Return the sentence of an error, without the line about a run, for there is none."""
    told = str(error).replace(RUN_STOPPED, "").strip()
    wait = error.retry_after if isinstance(error, TransientModelError) else None
    if wait is not None and wait >= _WORTH_TELLING:
        hours = f"{wait / 3600:.3g} h" if wait >= 3600 else f"{wait:.0f} s"
        told += f"\nThe server asks to wait {hours}; a run would wait as long, or stop, resumable."
    if isinstance(error, TransientModelError) and error.kind == "malformed":
        told += "\nSee that the address is that of the API itself (most end in /v1) and that the model runs there."
    return told


def figures(found: Finding) -> Mapping[str, object]:
    """Return a finding as one object of JSON."""
    names = [name for name in Finding.__slots__ if name not in ("problem", "seconds")]
    return {
        **{name: getattr(found, name) for name in names},
        "seconds": round(found.seconds, 3),
        "works": found.problem is None,
        "problem": found.problem,
    }
