"""The simulated model: its answers, the faults they meet, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.llmsim.api import Answer, Ask, tokens
from benchmarks.llmsim.config import FAULTS, Config, latency_curve
from benchmarks.llmsim.dialects import DIALECTS
from benchmarks.llmsim.draws import uniform
from benchmarks.llmsim.styles import writer

_CONTENT = ("refusal", "cutoff", "empty", "filter")
_USUAL_LIMIT = 2048
_THOUGHT = (
    "Okay, the given prompt. Sorry, are they equal or not equal? Equal, I would say: not equal. "
    "The rewritten prompt is draft {:x}."
)
_REFUSAL = "I'm sorry, but I can't help with that."

Shares = Sequence[tuple[float, str]]


class SimulatedModel:
    """A model under one configuration; every draw depends on the seed and the content only."""

    def __init__(self, config: Config) -> None:
        self._seed = config.seed
        self._write = writer(config.style)
        self._fails = config.fail_phrase, config.fail_as
        self._thinks = config.dialect == "anthropic-thinking" or (
            config.dialect != "" and DIALECTS[config.dialect].place is not None
        )
        self._think_cut = config.rate_think_cut
        self._curve = latency_curve(config.latency)
        slowest, fastest = self._curve(0.75), self._curve(0.25)
        self._fixed = fastest if fastest == slowest else None
        self._way = _cumulative(config, FAULTS)
        self._content = _cumulative(config, _CONTENT)

    def latency(self, ask: Ask) -> float:
        """Return the seconds that the answer takes."""
        if self._fixed is not None:
            return self._fixed
        return self._curve(uniform(self._seed, ask.digest, b"latency"))

    def fault(self, ask: Ask, times: int) -> str | None:
        """Return the fault that the call meets on its way, asked ``times`` times before."""
        phrase, fails_as = self._fails
        if phrase and phrase in ask.prompt:
            return fails_as
        if not self._way:
            return None
        return _drawn(self._way, uniform(self._seed, ask.digest, b"way", times))

    def answer(self, ask: Ask) -> Answer:
        """Return the answer; one longer than the token limit of the request is cut there."""
        fault = None
        if self._content:
            fault = _drawn(self._content, uniform(self._seed, ask.digest, b"content"))
        if fault == "refusal":
            return Answer(_REFUSAL, "refusal", tokens(len(_REFUSAL)))
        if fault == "filter":
            return Answer("", "content_filter", 0)
        if fault == "empty":
            return Answer("", "stop", 0)
        text, finish = self._write(ask)
        if self._thinks or self._think_cut:
            return self._thought_over(ask, text)
        if fault == "cutoff":
            text = text[: len(text) // 2]
            return Answer(text, "length", tokens(len(text)))
        if ask.max_tokens is not None and len(text) > 4 * ask.max_tokens:
            return Answer(text[: 4 * ask.max_tokens], "length", ask.max_tokens)
        return Answer(text, finish, tokens(len(text)))

    def _thought_over(self, ask: Ask, text: str) -> Answer:
        """Answer after a thought, if the limit leaves room for both; the thought holds all that must not get out."""
        thought = _THOUGHT.format(ask.digest)
        spent = tokens(len(thought))
        if uniform(self._seed, ask.digest, b"think cut") < self._think_cut:
            spent = int(_USUAL_LIMIT * (1 + 6 * uniform(self._seed, ask.digest, b"thought")))
        if ask.max_tokens is not None and spent >= ask.max_tokens:
            return Answer("", "length", ask.max_tokens, thought, ask.max_tokens)
        return Answer(text, "stop", spent + tokens(len(text)), thought, spent)


def _cumulative(config: Config, names: Sequence[str]) -> Shares:
    shares, upto = [], 0.0
    for name in names:
        share: float = getattr(config, f"rate_{name}")
        if share:
            upto += share
            shares.append((upto, name))
    return shares


def _drawn(shares: Shares, draw: float) -> str | None:
    for upto, name in shares:
        if draw < upto:
            return name
    return None
