"""How the calls of a purpose are made, from the settings to a request."""

from __future__ import annotations

from dataclasses import dataclass

from evolver.models.protocol import Purpose, Request, Sampling
from evolver.settings import Asking

_LARGER = 8  # times the token limit, where no largest one is set


@dataclass(frozen=True, slots=True)
class CallSettings:
    """How the calls of one purpose are made.

    ``system`` stands before the system text of a mutator; ``max_tokens_limit`` is ``None`` where the user named none.
    """

    sampling: Sampling = Sampling()  # noqa: RUF009 - frozen
    system: str | None = None
    max_tokens_limit: int | None = None

    @property
    def most_tokens(self) -> int:
        """The largest token limit with which a model that is cut while it thinks is asked again."""
        return self.max_tokens_limit or _LARGER * self.sampling.max_tokens

    def request(
        self,
        purpose: Purpose,
        prompt: str,
        sample: str,
        *,
        sampling: Sampling | None = None,
        system: str | None = None,
    ) -> Request:
        """Make a request.

        Args:
            purpose: What it is for.
            prompt: What is asked.
            sample: What tells equal prompts apart; see :class:`Request`.
            sampling: Another than that of the purpose: a raised limit, or what a mutator asks for.
            system: The mutator's own system text.
        """
        parts = [part for part in (self.system, system) if part]
        return Request(purpose, prompt, sampling or self.sampling, sample, "\n\n".join(parts) or None)


def call_settings(asking: Asking) -> CallSettings:
    """Return how calls are made by the settings of a purpose."""
    sampling = Sampling(
        asking.temperature,
        asking.top_p,
        max_tokens=asking.max_tokens,
        reasoning_effort=asking.reasoning_effort,
        extra_body=asking.extra_body or None,
    )
    return CallSettings(sampling, asking.system, asking.max_tokens_limit)
