"""Before a run in Python costs money that nobody has bounded: a notebook is asked, a script is warned."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from evolver.errors import EvolverError, SettingsError
from evolver.notebook import in_notebook
from evolver.plan import Plan
from evolver.report.estimate import Estimate


class CostWarning(UserWarning):
    """A run that costs money begins, and nobody has bounded or confirmed it."""


def agree(plan: Plan, estimated: Callable[[], Estimate]) -> None:
    """Ask or warn where the run costs money, calls are left, and ``max_cost`` does not bound it.

    Where nobody knows a price, ``max_calls`` is a bound, too. ``estimated`` is asked only where it matters.

    Raises:
        SettingsError: It is a notebook, and nobody can be asked; nothing was sent.
        EvolverError: Somebody was asked, and the answer is no; nothing was sent.
    """
    if not plan.costs or plan.settings.max_cost is not None:
        return
    estimate = estimated()
    if not estimate.calls or (estimate.cost_usd is None and plan.settings.max_calls is not None):
        return
    if in_notebook():
        _ask(estimate)
    else:
        warnings.warn(
            f"this run costs money ({estimate.in_short()} at most) and nothing bounds it. Give max_cost=USD to bound "
            "the spend, or confirm=True to say that it is meant.",
            CostWarning,
            stacklevel=2,
        )


def _ask(estimate: Estimate) -> None:
    try:
        answer = input(f"{estimate.in_short()} at most. Begin? [y/N] ")
    except (EOFError, NotImplementedError) as error:  # a notebook that a program executes
        raise SettingsError(
            f"this run costs money ({estimate.in_short()}) and there is nobody to ask; nothing was sent. "
            "Give max_cost=USD to bound the spend, or confirm=True to say that it is meant."
        ) from error
    if answer.strip().lower() not in ("y", "yes"):
        raise EvolverError(
            "not begun; nothing was sent and nothing is written. Run it again to be asked again, or give max_cost=USD."
        )
