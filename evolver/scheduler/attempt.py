"""One attempt, from a parent's text to a row: the path of the data through a run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any

from evolver.elimination.judge import parse_judgement
from evolver.elimination.rules import RuleSet
from evolver.elimination.verdict import Candidate, Drop
from evolver.errors import RowModelError
from evolver.models.ask import Answer, Asker, Origin
from evolver.models.protocol import Completion, Purpose, Request, Sampling
from evolver.plugins import LoadedMutator, MutatorSet
from evolver.scheduler.frontier import Job
from evolver_templates import render

_STEPS = {"evolve": 0, "judge": 2, "answer": 4}
_LONGEST_NOTE = 300  # characters of a judge's answer that are worth keeping


@dataclass(frozen=True, slots=True)
class Method:
    """Everything that decides an attempt besides its parent: equal for all attempts of a run."""

    run_id: int
    seed: int
    mutators: MutatorSet
    rules: RuleSet
    askers: dict[Purpose, Asker]
    sampling: Sampling
    judge: bool = True


@dataclass(slots=True)
class _Trial:
    """What has become of an attempt so far."""

    mutator: LoadedMutator
    instruction: str | None = None
    response: str | None = None
    drop: Drop | None = None
    failed: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    details: dict[str, Any] = field(default_factory=dict)


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
    trial = _Trial(mutator)
    try:
        trial.drop = await _decide(job, parent, method, trial, rng)
    except RowModelError as error:
        trial.drop, trial.failed = Drop(error.kind, str(error)), True
    return _row(job, method, trial)


async def _decide(job: Job, parent: str, method: Method, trial: _Trial, rng: Random) -> Drop | None:
    """Walk the attempt through its steps; return its death, or ``None`` for a survivor."""
    mutator = trial.mutator
    evolved = await _evolve(job, parent, method, trial, rng)
    candidate = Candidate(
        parent=parent,
        instruction=trial.instruction or "",
        finish_reason=evolved.finish_reason,
        mutator=mutator.name,
        markers=mutator.markers,
        refused=evolved.refusal,
    )
    drop = method.rules.check_instruction(candidate)
    if drop is None and method.judge and method.rules.judge:
        drop = await _judge(job, candidate, method, trial)
    if drop is not None:
        return drop
    answer = await _whole(job, "answer", candidate.instruction, method, trial)
    trial.response = answer.text
    candidate = replace(
        candidate, response=answer.text, finish_reason=answer.finish_reason, refused=answer.refusal
    )
    return method.rules.check_response(candidate)


async def _evolve(job: Job, parent: str, method: Method, trial: _Trial, rng: Random) -> Completion:
    mutator = trial.mutator
    if not mutator.needs_call:
        trial.instruction = mutator.mutate(parent, rng)
        return Completion(trial.instruction)
    prompt = mutator.prompt(parent, rng)
    trial.details.update(prompt.details)
    evolved = await _whole(job, "evolve", prompt.text, method, trial, system=prompt.system)
    trial.instruction = mutator.parse(evolved.text)
    return evolved


async def _judge(job: Job, candidate: Candidate, method: Method, trial: _Trial) -> Drop | None:
    """Ask whether anything was gained; once more where the answer says neither, and then let live."""
    prompt = render("judge/equality.jinja", first=candidate.parent, second=candidate.instruction)
    sampling = replace(method.sampling, temperature=0.0, top_p=None)
    for again in ("", ".again"):
        answer = await _ask(job, "judge", prompt, method, trial, sampling=sampling, again=again)
        judgement = parse_judgement(answer.text)
        trial.details["judge"] = judgement
        trial.details["judge_answer"] = answer.text[:_LONGEST_NOTE]
        if judgement == "equal":
            return Drop("no_information_gain", f"the judge says {answer.text.strip()[:_LONGEST_NOTE]!r}")
        if judgement == "not_equal":
            return None
    return None


async def _whole(
    job: Job, purpose: Purpose, prompt: str, method: Method, trial: _Trial, system: str | None = None
) -> Completion:
    """Ask; if the token limit cut the completion, ask once more with double the limit."""
    answer = await _ask(job, purpose, prompt, method, trial, sampling=method.sampling, system=system)
    if answer.finish_reason != "length":
        return answer
    doubled = replace(method.sampling, max_tokens=2 * method.sampling.max_tokens)
    return await _ask(job, purpose, prompt, method, trial, sampling=doubled, system=system, step=1)


async def _ask(
    job: Job,
    purpose: Purpose,
    prompt: str,
    method: Method,
    trial: _Trial,
    *,
    sampling: Sampling,
    system: str | None = None,
    again: str = "",
    step: int = 0,
) -> Completion:
    request = Request(purpose, prompt, sampling, f"{job.epoch}.{job.attempt}{again}", system)
    origin = Origin(method.run_id, job.root_id, job.epoch)
    priority = job.epoch << 3 | _STEPS[purpose] + step
    answer: Answer = await method.askers[purpose].ask(request, origin, priority)
    completion = answer.completion
    trial.prompt_tokens += completion.prompt_tokens
    trial.completion_tokens += completion.completion_tokens
    if answer.cost_usd is not None:
        trial.cost_usd = (trial.cost_usd or 0.0) + answer.cost_usd
    return completion


def _row(job: Job, method: Method, trial: _Trial) -> dict[str, Any]:
    drop = trial.drop
    status = "survivor" if drop is None else "failed" if trial.failed else "eliminated"
    evolver, answerer = method.askers["evolve"].name, method.askers["answer"].name
    if answerer != evolver:
        trial.details["answer_model"] = answerer
    return {
        "id": job.id,
        "run_id": method.run_id,
        "root_id": job.root_id,
        "parent_id": job.parent_id,
        "epoch": job.epoch,
        "attempt": job.attempt,
        "family": trial.mutator.family,
        "mutator": trial.mutator.name,
        "status": status,
        "rule": drop.rule if drop else None,
        "reason": drop.reason if drop else None,
        "instruction": trial.instruction,
        "response": trial.response,
        "model": evolver,
        "prompt_tokens": trial.prompt_tokens,
        "completion_tokens": trial.completion_tokens,
        "cost_usd": trial.cost_usd,
        "details": trial.details or None,
        "created_at": datetime.now(UTC),
    }
