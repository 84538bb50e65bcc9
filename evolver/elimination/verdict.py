"""What a rule reads, what it says, and how a function of a user's becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload


@dataclass(frozen=True, slots=True)
class Candidate:
    """An evolved instruction on trial.

    ``response`` is ``None`` until the model has answered, so rules that read the instruction alone run
    before that call is paid for. ``finish_reason`` is that of the latest completion: the rewrite's before the
    answer, the answer's after it. ``markers`` are the phrases of the evolving prompt that must not show.
    ``refused`` is the provider's own refusal text for that completion, where it marks one apart from the
    text.
    """

    parent: str
    instruction: str
    response: str | None = None
    finish_reason: str = "stop"
    mutator: str = ""
    markers: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """A death: the rule's name and the measured value in words, both stored with the attempt."""

    rule: str
    reason: str


Rule = Callable[[Candidate], Drop | None]

Reads = Literal["instruction", "response", "both"]
"""When a rule is asked: before the answer is paid for, after it, or at both times."""

_Any = TypeVar("_Any", bound=Callable[..., Any])


@overload
def rule(check: _Any, /) -> _Any: ...
@overload
def rule(*, reads: Reads = "response", name: str | None = None) -> Callable[[_Any], _Any]: ...
def rule(
    check: _Any | None = None, /, *, reads: Reads = "response", name: str | None = None
) -> _Any | Callable[[_Any], _Any]:
    """Say when a rule of your own is asked, and by what name it is stored; the function stays as it is.

    Args:
        check: A function or class instance that takes a :class:`Candidate` and returns a :class:`Drop`, or
            ``None`` to keep it.
        reads: ``"instruction"`` saves the judge's and the answer's calls where the rule drops.
        name: Default: the function's name.
    """

    def mark(check: _Any) -> _Any:
        setattr(check, "reads", reads)  # noqa: B010 - a plain assignment has no type here
        if name is not None:
            setattr(check, "name", name)  # noqa: B010
        return check

    return mark if check is None else mark(check)
