"""One attempt, from a parent's text to a row: the path of the data through a run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any

from evolver.calls.ask import Asks
from evolver.calls.budget import Allowance
from evolver.calls.call_settings import CallSettings
from evolver.calls.key import Origin
from evolver.chatter import unframed, without_tokens
from evolver.elimination.judge import parse_judgement
from evolver.elimination.rules import RuleSet
from evolver.elimination.verdict import Candidate, Drop
from evolver.errors import RowModelError
from evolver.models.protocol import Completion, Purpose, Sampling
from evolver.plugins import LoadedMutator, MutatorSet
from evolver.scheduler.frontier import Job
from evolver.scheduler.replies import Replies
from evolver_store.storable import made_storable, why_not_json, why_not_text, why_unstorable
from evolver_templates import render

_STEPS: dict[Purpose, int] = {"evolve": 0, "judge": 1, "answer": 2}
_LONGEST_NOTE = 300  # characters of a judge's answer that are worth keeping


@dataclass(frozen=True, slots=True)
class Method:
    """Everything that decides an attempt besides its parent: equal for all attempts of a run."""

    run_id: int
    seed: int
    mutators: MutatorSet
    rules: RuleSet
    askers: Mapping[Purpose, Asks]
    call_settings: Mapping[Purpose, CallSettings]
    judge: bool = True
    replies: Replies = field(default_factory=Replies)

    @property
    def steps(self) -> tuple[Purpose, ...]:
        """The calls of an attempt, in order."""
        return ("evolve", "judge", "answer") if self.judge and self.rules.judge else ("evolve", "answer")


async def ask_whole(
    ask: Callable[[Sampling], Awaitable[Completion]], sampling: Sampling, most: int
) -> tuple[Completion, int]:
    """Ask; where the token limit cut the completion, ask again with twice the limit.

    A text that is cut gets one more try (the decision of this project where the WizardLM paper is silent). A model that
    is cut while it still thinks has said nothing yet: it gets twice as much each time, up to ``most`` tokens.

    Returns:
        The last completion, and the limit it was asked with.
    """
    cut_texts = 0
    while True:
        completion = await ask(sampling)
        limit = sampling.max_tokens
        if completion.finish_reason != "length":
            return completion, limit
        said_something = bool(completion.text.strip())
        cut_texts += said_something
        if cut_texts > 1 or (not said_something and limit >= most):
            return completion, limit
        larger = 2 * limit if said_something else min(2 * limit, most)
        sampling = replace(sampling, max_tokens=larger)


def generator(seed: int, root: int, epoch: int, attempt: int) -> Random:
    """Return an attempt's own source of randomness.

    It follows from the run's seed, the digest of the root's text, the epoch and the attempt, never from the order
    in which calls return: the same pool and completions give the same lineage at any concurrency.
    """
    what = f"{seed}:{root}:{epoch}:{attempt}".encode()
    return Random(int.from_bytes(blake2b(what, digest_size=8).digest(), "big"))


def draw_mutator(job: Job, method: Method) -> tuple[LoadedMutator, Random]:
    """Draw the mutator of an attempt, another one than those tried before in the same epoch."""
    tried: list[str] = []
    for number in range(1, job.attempt + 1):
        rng = generator(method.seed, job.root, job.epoch, number)
        mutator = method.mutators.draw(rng, excluding=tried)
        tried.append(mutator.name)
    return mutator, rng


async def attempt(job: Job, parent: str, method: Method) -> dict[str, Any]:
    """Evolve, judge, answer, and return the row for ``instructions``.

    Raises:
        PluginError: A mutator or rule of the user's failed.
        ModelError: The run cannot go on; nothing is to be recorded for this attempt.
    """
    mutator, rng = draw_mutator(job, method)
    trial = _Trial(job, method, mutator, allowance=Allowance(method.steps))
    try:
        drop = await _decide(trial, parent, rng)
        row = trial.row("survivor" if drop is None else "eliminated", drop)
    except RowModelError as error:
        row = trial.row("failed", Drop(error.kind, str(error)))
    finally:
        trial.allowance.close()
    why = why_unstorable(row)
    return row if why is None else _without_what_cannot_be_stored(row, why)


def _without_what_cannot_be_stored(row: dict[str, Any], why: str) -> dict[str, Any]:
    """Return the row that says why an attempt's own cannot be stored: a user's rule or mutator gave what is no text."""
    reason = f"the attempt cannot be stored: its {why}"
    nothing = {"instruction": None, "response": None, "reasoning": None, "details": None}
    given = {name: value for name, value in nothing.items() if name in row}
    return {**row, **given, "status": "failed", "rule": "unstorable", "reason": made_storable(reason)}


async def _decide(trial: _Trial, parent: str, rng: Random) -> Drop | None:
    """Walk an attempt through its steps; return its death, or ``None`` for a survivor."""
    evolved = await trial.evolve(parent, rng)
    if isinstance(evolved, Drop):
        return evolved
    if evolved.finish_reason == "refusal":
        return Drop("refusal", f"the model refused to rewrite it: {(evolved.refusal or '')[:_LONGEST_NOTE]}")
    rules, mutator = trial.method.rules, trial.mutator
    candidate = Candidate(
        parent=parent,
        instruction=trial.instruction or "",
        finish_reason=evolved.finish_reason,
        mutator=mutator.name,
        markers=mutator.markers,
    )
    drop = rules.check_instruction(candidate)
    if drop is None and trial.method.judge and rules.judge:
        drop = await trial.judge(candidate)
    if drop is not None:
        return drop
    answer = await trial.whole("answer", candidate.instruction)
    trial.response = without_tokens(answer.text, candidate.instruction)
    trial.reasoning = answer.reasoning
    answered = replace(
        candidate, response=trial.response, finish_reason=answer.finish_reason, refused=answer.refusal
    )
    return rules.check_response(answered)


@dataclass(slots=True)
class _Trial:
    """An attempt under way: what it asks, and what has become of it so far."""

    job: Job
    method: Method
    mutator: LoadedMutator
    instruction: str | None = None
    response: str | None = None
    reasoning: str | None = None
    allowance: Allowance = field(default_factory=Allowance)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    async def evolve(self, parent: str, rng: Random) -> Completion | Drop:
        """Let the mutator make the candidate's instruction, with a call if it needs one; a reply may be unreadable."""
        if not self.mutator.needs_call:
            evolved = Completion(
                self._checked(self.mutator.mutate(parent, rng), "made an instruction that holds")
            )
            self.instruction = evolved.text
            return evolved
        prompt = self.mutator.prompt(parent, rng)
        for text in (prompt.text, prompt.system or ""):
            self._checked(text, "made a prompt that holds")
        self.details.update(self._checked_details(prompt.details))
        sampling = self.method.call_settings["evolve"].sampling
        if self.mutator.sampling:
            sampling = replace(sampling, **self.mutator.sampling)
        evolved = await self.whole("evolve", prompt.text, prompt.system, sampling=sampling)
        try:
            read = self.mutator.parse(without_tokens(evolved.text, prompt.text))
        except ValueError as error:
            self.method.replies.unreadable(self.mutator.name, error)
            return Drop("unreadable", f"{self.mutator.name} cannot use the reply: {error}"[:_LONGEST_NOTE])
        self.method.replies.readable()
        self.instruction = unframed(self._checked(read, "read an instruction that holds"), parent)
        return evolved

    def _checked(self, text: str, what: str) -> str:
        """Return a text of a mutator's that every database can hold.

        Raises:
            RowModelError: This one cannot be held; the mutator is named.
        """
        why = why_not_text(text)
        if why is not None:
            raise RowModelError(f"the mutator {self.mutator.name!r} {what} {why}", "unstorable")
        return text

    def _checked_details(self, details: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(details)
        why = why_not_json(given, "details")
        if why is not None:
            raise RowModelError(
                f"the mutator {self.mutator.name!r} gave details that are no JSON: {why}", "unstorable"
            )
        return given

    async def judge(self, candidate: Candidate) -> Drop | None:
        """Ask whether anything was gained; once more where the answer says neither, and then let live."""
        prompt = render("judge/equality.jinja", first=candidate.parent, second=candidate.instruction)
        for again in ("", ".again"):
            answer = await self.whole("judge", prompt, again=again)
            judgement = parse_judgement(answer.text)
            self.details["judge"] = judgement
            self.details["judge_answer"] = answer.text[:_LONGEST_NOTE]
            if judgement == "equal":
                return Drop("no_information_gain", f"the judge says {answer.text.strip()[:_LONGEST_NOTE]!r}")
            if judgement == "not_equal":
                return None
        return None

    async def whole(
        self,
        purpose: Purpose,
        prompt: str,
        system: str | None = None,
        *,
        sampling: Sampling | None = None,
        again: str = "",
    ) -> Completion:
        """Ask until the completion is whole, or the token limit cannot be raised any more; the row says how far it was.

        Raises:
            RowModelError: The request will never be answered.
        """

        async def ask(sampling: Sampling) -> Completion:
            return await self._ask(purpose, prompt, sampling, system, again)

        settings = self.method.call_settings[purpose]
        first = sampling or settings.sampling
        completion, limit = await ask_whole(ask, first, settings.most_tokens)
        if limit != first.max_tokens:
            self.details[f"{purpose}_max_tokens"] = limit
        return completion

    async def _ask(
        self, purpose: Purpose, prompt: str, sampling: Sampling, system: str | None = None, again: str = ""
    ) -> Completion:
        job = self.job
        sample = f"{job.root:016x}.{job.epoch}.{job.attempt}{again}"
        settings = self.method.call_settings[purpose]
        request = settings.request(purpose, prompt, sample, sampling=sampling, system=system)
        origin = Origin(self.method.run_id, job.root_id, job.epoch, self.allowance)
        answer = await self.method.askers[purpose].ask(request, origin, job.epoch << 3 | _STEPS[purpose])
        self.prompt_tokens += answer.completion.prompt_tokens
        self.completion_tokens += answer.completion.completion_tokens
        if answer.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + answer.cost_usd
        return answer.completion

    def row(self, status: str, drop: Drop | None) -> dict[str, Any]:
        """Return the row of ``instructions`` that the attempt becomes."""
        job, askers = self.job, self.method.askers
        if askers["answer"].name != askers["evolve"].name:
            self.details["answer_model"] = askers["answer"].name
        return {
            "id": job.id,
            "run_id": self.method.run_id,
            "root_id": job.root_id,
            "parent_id": job.parent_id,
            "epoch": job.epoch,
            "attempt": job.attempt,
            "family": self.mutator.family,
            "mutator": self.mutator.name,
            "status": status,
            "rule": drop.rule if drop else None,
            "reason": made_storable(drop.reason) if drop else None,
            "instruction": self.instruction,
            "response": self.response,
            "reasoning": self.reasoning,
            "model": askers["evolve"].name,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": self.cost_usd,
            "details": self.details or None,
            "created_at": datetime.now(UTC),
        }
