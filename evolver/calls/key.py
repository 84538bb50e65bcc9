"""What tells one call from another, and on whose behalf it is made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b

from evolver.calls.budget import Allowance
from evolver.models.identity import ModelIdentity
from evolver.models.protocol import Request, Sampling

_text = json.encoder.encode_basestring_ascii  # what JSONEncoder writes a text with
_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode

# What stands around the own parts of calls, by the very objects it was made of: equal ones may be written in two ways,
# such as 1 and 1.0, and would then have two keys.
_AROUND: dict[tuple[int, int], tuple[ModelIdentity, Sampling, str, str]] = {}
_MOST = 64


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
    place = id(identity), id(sampling)
    found = _AROUND.get(place)
    if found is None or found[0] is not identity or found[1] is not sampling:
        if len(_AROUND) >= _MOST:
            _AROUND.clear()
        found = _AROUND[place] = identity, sampling, *_around(identity, sampling)
    _, _, before, after = found
    system = "null" if request.system is None else _text(request.system)
    own = f"{system},{_text(request.prompt)},{_text(request.sample)}"
    return blake2b(f"{before},{own}{after}".encode(), digest_size=16).hexdigest()


def _around(identity: ModelIdentity, sampling: Sampling) -> tuple[str, str]:
    """What stands before and after a call's own parts in the list that is digested."""
    before = [
        identity.provider,
        identity.base_url,
        identity.name,
        identity.settings,
        sampling.temperature,
        sampling.top_p,
        sampling.frequency_penalty,
        sampling.max_tokens,
    ]
    after = "".join("," + _encode(part) for part in _besides(sampling))
    return _encode(before)[:-1], f"{after}]"


def _besides(sampling: Sampling) -> list[object]:
    """What came later, only where it is set: calls that were paid for before it came keep their keys."""
    said = {"reasoning_effort": sampling.reasoning_effort, "extra_body": sampling.extra_body or None}
    return [[name, value] for name, value in said.items() if value is not None]
