"""What can be asked of the simulated provider: by flags when it starts, by ``POST /control`` while it runs."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from statistics import NormalDist
from typing import Any

from benchmarks.llmsim.dialects import DIALECTS

STYLES = ("simple", "offline", "echo")
FAULTS = ("429", "500", "529", "drop", "hang", "malformed")


class ConfigError(ValueError):
    """A setting does not exist or cannot have that value; nothing was changed."""


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting, with its help text; shares are between 0 and 1.

    Faults of the way (429, 500, 529, drop, hang, malformed) are drawn from the seed, the content of the request
    and how often that content was asked before, so that a retry can succeed. Faults of the answer (refusal, cut-off,
    empty, filter) belong to the content alone: the same question has the same answer, however often it is asked.
    """

    seed: int = _setting(0, "what every draw rests on")
    style: str = _setting(
        "simple", "who writes the answers: simple, offline (evolver's embedded model), echo"
    )
    latency: str = _setting("zero", "zero, constant:SECONDS or lognormal:MEDIAN_SECONDS:SIGMA")
    rate_429: float = _setting(0.0, "share of calls refused with 429")
    retry_after: float = _setting(1.0, "seconds that a 429 asks to wait; negative: it does not say")
    rate_500: float = _setting(0.0, "share of calls that end in a server error")
    rate_529: float = _setting(0.0, "share of calls refused as overloaded (529; OpenAI: 503)")
    rate_drop: float = _setting(0.0, "share of answers cut in the middle by a closed connection")
    rate_hang: float = _setting(0.0, "share of calls that are never answered")
    rate_malformed: float = _setting(0.0, "share of answers with status 200 and broken JSON")
    rate_refusal: float = _setting(0.0, "share of contents that the model refuses")
    rate_cutoff: float = _setting(0.0, "share of contents whose answer is cut by the token limit")
    rate_empty: float = _setting(0.0, "share of contents answered with nothing")
    rate_filter: float = _setting(0.0, "share of contents stopped by the content filter")
    storm_429: bool = _setting(False, "refuse every call with 429")
    require_key: str = _setting("", "the only API key that is accepted")
    forbidden: bool = _setting(False, "refuse every call with 403")
    quota_exhausted: bool = _setting(False, "refuse every call for want of credit")
    policy_phrase: str = _setting("", "refuse prompts that hold this text as against the content policy")
    max_prompt_tokens: int = _setting(0, "refuse longer prompts as too large; 0: no limit")
    max_in_flight: int = _setting(0, "refuse with 429 above so many calls at a time; 0: no limit")
    slots: int = _setting(0, "answer so many calls at a time, the others in their turn; 0: no limit")
    rpm: int = _setting(0, "calls a minute, above which 429 is the answer; 0: no limit")
    hold: bool = _setting(False, "keep finished answers back until hold is false")
    hold_after: int = _setting(-1, "keep answers back after so many; negative: never")
    dialect: str = _setting(
        "", "speak like a server that people run: vllm-think, gemini, mistral, …; plain is OpenAI's own"
    )
    rate_think_cut: float = _setting(
        0.0,
        "share of contents whose thought takes 1 to 7 times the 2,048 tokens of the usual limit; with a dialect",
    )
    credit_after: int = _setting(-1, "the account is empty after so many answers; negative: never")
    credit_status: int = _setting(402, "the HTTP status that says so")
    credit_words: str = _setting("the account is empty", "the words that say so")
    credit_kind: str = _setting("invalid_request_error", "the type that the error has")
    credit_code: str = _setting("", "the code that the error has; empty: none")
    refuse_phrase: str = _setting("", "refuse prompts that hold this text as not to be understood")
    fail_phrase: str = _setting("", "prompts that hold this text fail each time they are asked")
    fail_as: str = _setting("500", "how they fail: 429, 500, 529, drop, hang or malformed")
    clock_ahead: float = _setting(0.0, "seconds that its clock is ahead of this machine's; negative: behind")
    batch_seconds: float = _setting(0.0, "how long a batch takes")
    batch_hold: bool = _setting(False, "keep batches in progress until batch_hold is false")
    batch_rate_errored: float = _setting(0.0, "share of a batch's requests that end in an error")
    batch_rate_expired: float = _setting(0.0, "share of a batch's requests that expire")
    batch_lose_answers: int = _setting(
        0, "so many next batches are accepted, and the answer that says so is lost"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if "rate_" in setting.name and not 0 <= value <= 1:
                raise ConfigError(f"{setting.name} is a share between 0 and 1, not {value}")
        if self.style not in STYLES:
            raise ConfigError(f"style is one of {', '.join(STYLES)}, not {self.style!r}")
        if self.fail_as not in FAULTS:
            raise ConfigError(f"fail_as is one of {', '.join(FAULTS)}, not {self.fail_as!r}")
        if self.dialect and self.dialect not in DIALECTS:
            raise ConfigError(f"dialect is one of {', '.join(sorted(DIALECTS))}, not {self.dialect!r}")
        if self.rate_think_cut and not self.dialect:
            raise ConfigError("rate_think_cut needs a dialect; plain is one")
        latency_curve(self.latency)

    def merged(self, changes: Mapping[str, object]) -> Config:
        """Return the settings with ``changes`` in them; ``hold: false`` alone also ends ``hold_after``.

        Raises:
            ConfigError: A name is unknown or a value of the wrong type; no change is made.
        """
        values: dict[str, Any] = {}
        if changes.get("hold") is False and "hold_after" not in changes:
            values["hold_after"] = -1
        for name, value in changes.items():
            if name not in _TYPES:
                raise ConfigError(f"there is no setting {name!r}; there are {', '.join(sorted(_TYPES))}")
            values[name] = _converted(name, value)
        return replace(self, **values)


_TYPES: dict[str, type] = {setting.name: type(setting.default) for setting in fields(Config)}


def _converted(name: str, value: object) -> object:
    wanted = _TYPES[name]
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ConfigError(f"{name} takes a {wanted.__name__}, not {value!r}")
    return value


@cache
def latency_curve(spec: str) -> Callable[[float], float]:
    """Return the function from a uniform draw in (0, 1) to seconds that ``spec`` describes.

    Raises:
        ConfigError: The text is none of ``zero``, ``constant:S``, ``lognormal:MEDIAN:SIGMA``.
    """
    name, *numbers = spec.split(":")
    try:
        values = [float(number) for number in numbers]
    except ValueError as error:
        raise ConfigError(f"latency {spec!r} holds something that is no number") from error
    if name == "zero" and not values:
        return lambda draw: 0.0
    if name == "constant" and len(values) == 1 and values[0] >= 0:
        return lambda draw: values[0]
    if name == "lognormal" and len(values) == 2 and values[0] > 0 and values[1] >= 0:
        quantile = NormalDist().inv_cdf
        return lambda draw: values[0] * math.exp(values[1] * quantile(draw))
    raise ConfigError(f"latency is zero, constant:SECONDS or lognormal:MEDIAN_SECONDS:SIGMA, not {spec!r}")


def parse_arguments(arguments: Sequence[str]) -> tuple[str, int, Config]:
    """Read the command line into host, port and settings; wrong usage ends the program with status 2."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.llmsim", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one, told on standard output")
    for setting in fields(Config):
        flag = "--" + setting.name.replace("_", "-")
        text = setting.metadata["help"]
        if isinstance(setting.default, bool):
            parser.add_argument(flag, action="store_true", help=text)
        else:
            parser.add_argument(flag, type=type(setting.default), default=setting.default, help=text)
    values = vars(parser.parse_args(arguments))
    host, port = values.pop("host"), values.pop("port")
    try:
        return host, port, Config(**values)
    except ConfigError as error:
        parser.error(str(error))
