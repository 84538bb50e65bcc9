"""Answer seeds with the model: those the pool gives no response, or all of them.

The WizardLM paper (arXiv:2304.12244, section 4.2) replaces every seed's response by the model's own, so that a
comparison rests on the instructions alone.
"""

from __future__ import annotations

from typing import Any

from evolver.calls.key import Origin
from evolver.chatter import without_tokens
from evolver.elimination.verdict import Candidate, Drop
from evolver.errors import RowModelError
from evolver.models.protocol import Completion, Sampling
from evolver.scheduler.attempt import Method, ask_whole
from evolver.scheduler.frontier import content_digest

_LAST = 1 << 10  # one call left: after every evolution


async def answer_seed(
    id_: int, instruction: str, response: str | None, details: dict[str, Any] | None, method: Method
) -> dict[str, Any]:
    """Ask for a seed's response and return the columns to change.

    A response that a rule drops, or that the model refuses for good, leaves the seed with the one it had; the
    details say which rule. The response of the pool is kept there too. Tokens and dollars
    are those of all calls where the limit cut the first answer; dollars are ``None`` where no price is known.

    Raises:
        ModelError: The run cannot go on; nothing is to be changed.
    """
    asker, settings = method.askers["answer"], method.call_settings["answer"]
    prompt_tokens = completion_tokens = 0
    cost: float | None = None  # unknown is not free
    drop: Drop | None
    completion = Completion("")

    async def ask(sampling: Sampling) -> Completion:
        nonlocal prompt_tokens, completion_tokens, cost
        sample = f"{content_digest(instruction):016x}.0.0"
        request = settings.request("answer", instruction, sample, sampling=sampling)
        answer = await asker.ask(request, Origin(method.run_id, id_, 0), _LAST)
        prompt_tokens += answer.completion.prompt_tokens
        completion_tokens += answer.completion.completion_tokens
        if answer.cost_usd is not None:
            cost = (cost or 0.0) + answer.cost_usd
        return answer.completion

    try:
        completion, _ = await ask_whole(ask, settings.sampling, settings.most_tokens)
        drop = method.rules.check_response(
            Candidate(
                parent=instruction,
                instruction=instruction,
                response=without_tokens(completion.text, instruction),
                finish_reason=completion.finish_reason,
                refused=completion.refusal,
            )
        )
    except RowModelError as error:
        drop = Drop(error.kind, str(error))
    notes = dict(details or {})
    if drop is not None:
        notes["answer_dropped"] = {"rule": drop.rule, "reason": drop.reason}
    elif response is not None:
        notes["pool_response"] = response
    return {
        "seed_id": id_,
        "response": response if drop else without_tokens(completion.text, instruction),
        "reasoning": None if drop else completion.reasoning,
        "model": asker.name,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "cost_usd": cost,
        "details": notes or None,
    }
