"""Which sampling parameters a model takes, learnt from what its server refuses; one way for all providers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from evolver.answers.exchange import Sampling
from evolver.answers.refusals import Refusal
from evolver.errors import ModelError, RowModelError

_Answer = TypeVar("_Answer")

Value = float | str
"""What a parameter is set to; a text where it is a level."""

_DRAWN: Final = ("temperature", "top_p", "frequency_penalty")
_KEPT_FIRST: Final = ("reasoning_effort", *_DRAWN)
"""Optional parameters; of two that exclude each other the later one is left out."""

_RENAMED: Final = "max_completion_tokens"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing learnt: a parameter is left out (at one value, beside another, or with it), limited or renamed."""

    kind: Literal["left_out", "beside", "neither", "limited", "renamed"]
    parameter: str
    value: Value | None = None
    other: str | None = None

    def sentence(self) -> str:
        """Say it, as what follows the model's name."""
        if self.kind == "renamed":
            return f"takes {_RENAMED} instead of {self.parameter}, which is sent from now on"
        if self.kind == "limited" and not isinstance(self.value, str):
            return (
                f"takes at most {self.value:,g} for {self.parameter}, which is sent where more is asked for"
            )
        if self.kind == "beside":
            return f"does not accept {self.parameter} beside {self.other}; it is left out from now on"
        if self.kind == "neither":
            return f"does not accept {self.parameter} and {self.other}; it is left out from now on"
        return f"does not accept the {self.parameter} asked for, which is left out from now on"


class Parameters:
    """What to send of a :class:`Sampling`, and what was learnt about it.

    A refused call is answered before anything is generated, so nothing is paid twice. A lesson is told, once for each
    parameter, when a call was answered that followed it, and forgotten where the call was refused all the same.

    Args:
        who: The model, as notices name it.
        on_notice: Told what was learnt.
        renames: Whether the limit of tokens may go by its newer name.
        without: Parameters that the provider does not have.
        guesses: Whether a refusal that names no parameter is tried with less of them, until a call is answered.
    """

    def __init__(
        self,
        who: str,
        on_notice: Callable[[str], None] | None = None,
        *,
        renames: bool = False,
        without: Collection[str] = (),
        guesses: bool = False,
    ) -> None:
        self._who = who
        self._on_notice = on_notice
        self._renames = renames
        self._without = without
        self._guesses = guesses
        self._accepted: set[frozenset[str]] = set()
        self._lessons: dict[Lesson, None] = {}
        self._batched: dict[Sampling, None] = {}
        self._told: set[tuple[str, str]] = set()
        self._sent: dict[Sampling, dict[str, Value]] = {}
        self._answered: set[Sampling] = set()

    def of(self, sampling: Sampling) -> dict[str, Value]:
        """Return what to send, by the server's names; a frequency penalty of 0 is every provider's default."""
        sent = self._sent.get(sampling)
        if sent is None:
            kept = self._kept(sampling)
            sent = {self._name(parameter): value for parameter, value in kept.items()}
            self._sent[sampling] = sent
        return dict(sent)

    @property
    def left_out(self) -> set[str]:
        """The parameters that are not sent at any value, also where somebody else would set them."""
        return {
            lesson.parameter for lesson in self._lessons if lesson.kind == "left_out" and lesson.value is None
        }

    async def adapted(
        self,
        sampling: Sampling,
        post: Callable[[dict[str, Value]], Awaitable[_Answer]],
        failure: Callable[[Exception], tuple[ModelError, Refusal]],
        caught: type[Exception],
    ) -> _Answer:
        """Return what ``post`` gives, called again at once with what a refusal has taught.

        Args:
            sampling: What is asked for.
            post: Sends a request with the parameters it is handed.
            failure: Reads what ``post`` raised: the error it amounts to, and what it says about parameters.
            caught: What ``post`` raises for an answer that is an error.

        Raises:
            ModelError: As ``failure`` says, where the refusal teaches nothing.
        """
        learnt: list[Lesson] = []
        guesses: Iterator[list[Lesson]] | None = None
        while True:
            sent = self.of(sampling)
            try:
                answer = await post(sent)
            except ModelError:
                raise
            except caught as error:
                failed, refusal = failure(error)
                lessons = self.learn(refusal, sampling, sent) if is_refusal(failed) else None
                if lessons is None:
                    self.forget(learnt)
                    guesses = guesses or self._guesses_at(sampling)
                    lessons = next(guesses, None) if is_refusal(failed) else None
                    learnt = []
                if lessons is None:
                    raise failed from error
                self._take_in(lessons)
                learnt += lessons
            else:
                if sampling not in self._answered:
                    self._answered.add(sampling)
                    self._accepted.add(frozenset(self._kept(sampling, taught=False)))
                self.confirm(learnt)
                return answer

    def learn(self, refusal: Refusal, sampling: Sampling, sent: Mapping[str, Value]) -> list[Lesson] | None:
        """Learn from a refusal of ``sent``; ``None`` where it teaches nothing, and the call is to be given up.

        ``sent`` is what :meth:`of` gave for ``sampling`` then. An empty list says that another call's refusal has
        taught it meanwhile: ask again, too.
        """
        if self.of(sampling) != sent:
            return []
        kept = self._kept(sampling)
        named, by_field = refusal.named(kept)
        lessons = list(self._lessons_of(refusal, named, by_field, kept))
        new = [lesson for lesson in lessons if lesson not in self._lessons]
        self._take_in(new)
        return new or None

    def _take_in(self, lessons: Iterable[Lesson]) -> None:
        self._lessons.update(dict.fromkeys(lessons))
        self._sent.clear()

    def _guesses_at(self, sampling: Sampling) -> Iterator[list[Lesson]]:
        """What to leave out where nobody says what is wrong: ever more, unless it was all accepted before."""
        asked = self._kept(sampling, taught=False)
        optional = [name for name in _DRAWN if name in asked]
        if not self._guesses or frozenset(asked) in self._accepted:
            return
        if len(optional) == 2:
            first, second = optional
            yield [Lesson("beside", second, other=first)]
            yield [Lesson("beside", first, other=second)]
            yield [Lesson("neither", first, other=second)]
        elif optional:
            yield [Lesson("left_out", optional[0], asked[optional[0]])]

    def batched(self, sampling: Sampling) -> dict[str, Value]:
        """Return what to send in a batch, whose refusals come much later."""
        self._batched[sampling] = None
        return self.of(sampling)

    def learn_later(self, refusal: Refusal) -> bool:
        """Learn from a refusal among a batch's results, which do not say what was sent; true if it teaches anything."""
        lessons: list[Lesson] = []
        for sampling in self._batched or (Sampling(),):
            kept = self._kept(sampling, taught=False)
            lessons += self._lessons_of(refusal, *refusal.named(kept), kept)
        self._take_in(lessons)
        self.confirm(lessons)
        return bool(lessons)

    def confirm(self, lessons: Iterable[Lesson]) -> None:
        """Tell what was learnt, now that a call was answered."""
        for lesson in lessons:
            what = lesson.kind, lesson.parameter
            if what not in self._told and self._on_notice is not None:
                self._on_notice(f"{self._who} {lesson.sentence()}.")
            self._told.add(what)

    def forget(self, lessons: Iterable[Lesson]) -> None:
        """Forget what was learnt in a call that was refused for another reason after all."""
        for lesson in lessons:
            self._lessons.pop(lesson, None)
        self._sent.clear()

    def _kept(self, sampling: Sampling, *, taught: bool = True) -> dict[str, Value]:
        asked = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty or None,
            "max_tokens": sampling.max_tokens,
            "reasoning_effort": sampling.reasoning_effort,
        }
        sent = {
            name: value for name, value in asked.items() if value is not None and name not in self._without
        }
        for lesson in self._lessons if taught else ():
            _apply(lesson, sent)
        return sent

    def _name(self, parameter: str) -> str:
        return _RENAMED if Lesson("renamed", parameter) in self._lessons else parameter

    def _lessons_of(
        self, refusal: Refusal, named: list[str], by_field: bool, sent: Mapping[str, Value]
    ) -> Iterable[Lesson]:
        optional = [name for name in _KEPT_FIRST if name in named]
        if "max_tokens" in named:
            yield from self._limit_of_tokens(refusal, float(sent["max_tokens"]))
        if len(optional) > 1 and not by_field:
            yield Lesson("beside", optional[-1], other=optional[0])
            return
        for name in optional:
            value = sent[name]
            most = None if refusal.whole or isinstance(value, str) else refusal.limit(value)
            if most is not None:
                yield Lesson("limited", name, most)
            else:
                yield Lesson("left_out", name, None if refusal.whole else sent[name])

    def _limit_of_tokens(self, refusal: Refusal, sent: float) -> Iterable[Lesson]:
        most = refusal.limit(sent)
        if most is not None and most >= 1:
            yield Lesson("limited", "max_tokens", int(most))
        elif self._renames and refusal.renames:
            yield Lesson("renamed", "max_tokens")


def is_refusal(failed: ModelError) -> bool:
    """Tell a request that the server could not understand from everything else that its codes may mean."""
    return isinstance(failed, RowModelError) and failed.kind == "bad_request"


def _apply(lesson: Lesson, sent: dict[str, Value]) -> None:
    name = lesson.parameter
    if name not in sent:
        return
    match lesson.kind:
        case "limited" if lesson.value is not None:
            sent[name] = min(float(sent[name]), float(lesson.value))
        case "left_out" if lesson.value in (None, sent[name]):
            del sent[name]
        case "beside" if lesson.other in sent:
            del sent[name]
        case "neither" if lesson.other in sent:
            del sent[name], sent[lesson.other]
