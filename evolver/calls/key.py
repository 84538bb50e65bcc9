"""What tells one call from another, and on whose behalf it is made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b

from evolver.calls.budget import Allowance
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Request, Sampling

_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf a call is made; stored with it.

    ``allowance`` is what is set aside for the work it belongs to; work of a single call needs none.
    """

    run_id: int
    root_id: int | None
    epoch: int | None
    allowance: Allowance | None = field(default=None, compare=False)


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
        *_besides(sampling),
    ]
    return blake2b(_encode(shape).encode(), digest_size=16).hexdigest()


def _besides(sampling: Sampling) -> list[object]:
    """What came later, only where it is set: calls that were paid for before it came keep their keys."""
    said = {"reasoning_effort": sampling.reasoning_effort, "extra_body": sampling.extra_body or None}
    return [[name, value] for name, value in said.items() if value is not None]
