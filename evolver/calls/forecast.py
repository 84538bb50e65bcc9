"""What a call will cost, before it is made: counted from its prompt and from the calls that were seen before."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evolver.calls.prices import Price
from evolver.models.protocol import Completion, Purpose, Request

BATCH_FACTOR = 0.5  # of the live price, at OpenAI and at Anthropic alike
_ENOUGH = 20  # calls of a purpose from which their lengths bound those of others
_SHARE = 4  # before any is seen, a completion is taken to fill a quarter of its limit
_GUESS_WEIGHS = 4  # calls: until enough are seen, the guess is put right a little at a time
_BYTES_PER_TOKEN = 4.0
_FEWEST_BYTES_PER_TOKEN = 2.0
_FRAME = 16  # tokens that a chat template puts around a prompt
_DEVIATIONS = 3.0


@dataclass(slots=True)
class Seen:
    """Running figures of the calls of one purpose: tokens of prompts and completions, and how completions vary."""

    calls: int = 0
    prompt_bytes: int = 0
    prompt_tokens: int = 0
    completion_tokens: float = 0.0
    squares: float = 0.0

    def add(self, prompt_bytes: int, prompt_tokens: int, completion_tokens: int) -> None:
        """Take in one call (Welford's way: the mean and the sum of squared distances from it)."""
        self.calls += 1
        self.prompt_bytes += prompt_bytes
        self.prompt_tokens += prompt_tokens
        distance = completion_tokens - self.completion_tokens
        self.completion_tokens += distance / self.calls
        self.squares += distance * (completion_tokens - self.completion_tokens)

    @property
    def deviation(self) -> float:
        """Standard deviation of a completion's tokens."""
        return math.sqrt(self.squares / (self.calls - 1)) if self.calls > 1 else 0.0


class Forecast:
    """Foresees dollars, by purpose; learns from every call.

    Where no price is known a call is foreseen to cost nothing: the budget counts calls then, if anything.

    Args:
        prices: Of each purpose's model; ``None`` where nobody knows it.
        share: Of the live price that most calls cost: :data:`BATCH_FACTOR` where they go into batches.
    """

    def __init__(self, prices: Mapping[Purpose, Price | None], share: float = 1.0) -> None:
        self._prices = prices
        self._share = share
        self._seen: dict[Purpose, Seen] = {}

    def note(self, request: Request, completion: Completion) -> None:
        """Learn from a call whose tokens the provider has counted."""
        if completion.usage_known:
            seen = self._seen.setdefault(request.purpose, Seen())
            seen.add(_bytes(request), completion.prompt_tokens, completion.completion_tokens)

    def likely(self, request: Request) -> float:
        """What a call will probably cost, in dollars."""
        price = self._prices.get(request.purpose)
        if price is None:
            return 0.0
        return price.dollars(self._prompt(request), self._completion(request.purpose, request))

    def most(self, request: Request) -> float:
        """What a call can cost if its completion fills the limit, in dollars."""
        price = self._prices.get(request.purpose)
        if price is None:
            return 0.0
        prompt = max(self._prompt(request), _FRAME + _bytes(request) / _FEWEST_BYTES_PER_TOKEN)
        return price.dollars(prompt, request.sampling.max_tokens)

    def careful(self, request: Request, among: int) -> float:
        """What a call costs at most on the average of ``among`` like it, in dollars: almost certainly not more.

        For calls that are handed over together and cannot be stopped any more, such as those of a batch.
        """
        price, seen = self._prices.get(request.purpose), self._seen.get(request.purpose)
        if price is None:
            return 0.0
        if seen is None or seen.calls < _ENOUGH:
            return self.most(request)
        unsure = _DEVIATIONS * seen.deviation * math.sqrt(1 / seen.calls + 1 / max(1, among))
        completion = min(request.sampling.max_tokens, seen.completion_tokens + unsure)
        return price.dollars(self._prompt(request), completion)

    def steps(self, request: Request, after: Iterable[Purpose]) -> float:
        """What ``request`` and one call each of the purposes ``after`` it will probably cost, in dollars."""
        rest = sum(self.step(purpose, request) for purpose in after)
        return self._share * (self.likely(request) + rest)

    def step(self, purpose: Purpose, like: Request) -> float:
        """What a call of ``purpose`` will probably cost whose prompt is not known yet, in dollars.

        Until such calls were seen, its prompt is taken to be as long as that of the request ``like``.
        """
        price, seen = self._prices.get(purpose), self._seen.get(purpose)
        if price is None:
            return 0.0
        prompt = self._prompt(like)
        if seen is not None:
            prompt = (seen.prompt_tokens + _GUESS_WEIGHS * prompt) / (seen.calls + _GUESS_WEIGHS)
        return price.dollars(prompt, self._completion(purpose, like))

    def counted(self, request: Request | None, completion: Completion) -> tuple[int, int]:
        """Return a completion's tokens, prompt and completion, estimated where the provider did not count them."""
        if completion.usage_known:
            return completion.prompt_tokens, completion.completion_tokens
        said = completion.text + (completion.reasoning or "") + (completion.refusal or "")
        prompt = 0 if request is None else round(self._prompt(request))
        return prompt, math.ceil(len(said.encode()) / _BYTES_PER_TOKEN)

    def _prompt(self, request: Request) -> float:
        seen = self._seen.get(request.purpose)
        if seen is not None and seen.calls >= _ENOUGH and seen.prompt_bytes:
            return _bytes(request) * seen.prompt_tokens / seen.prompt_bytes
        return _FRAME + _bytes(request) / _BYTES_PER_TOKEN

    def _completion(self, purpose: Purpose, request: Request) -> float:
        seen, limit = self._seen.get(purpose), request.sampling.max_tokens
        guess = limit / _SHARE
        if seen is None:
            return guess
        weight = 0 if seen.calls >= _ENOUGH else _GUESS_WEIGHS
        mean = (seen.calls * seen.completion_tokens + weight * guess) / (seen.calls + weight)
        return min(limit, mean)


def _bytes(request: Request) -> int:
    return len(request.prompt.encode("utf-8", "replace")) + len(
        (request.system or "").encode("utf-8", "replace")
    )
