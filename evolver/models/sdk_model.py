"""What the models behind OpenAI's and Anthropic's SDK share: key, address, client, parameters, failures, batches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from evolver.answers.failures import from_status
from evolver.answers.mends import Asked
from evolver.answers.parameters import Parameters, Value, is_refusal
from evolver.answers.reading import Reader
from evolver.answers.refusals import Refusal, read_refusal
from evolver.errors import ModelError, RunModelError, TransientModelError
from evolver.models import registry
from evolver.models.keys import KEYLESS, address_of, read_key
from evolver.models.protocol import Completion, Request, Sampling
from evolver.models.sdk import Sdk, Wire

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi


class SdkModel(ABC):
    """A model behind an SDK. Subclasses write a request as a body and read a body as a completion.

    Key and address are those of the provider's record unless they are given; with an address of the user's own the key
    may be missing. ``timeout`` limits a whole call, in seconds. ``on_notice`` is told, once for each, which parameters
    the model refuses and what is done instead; those calls are answered with an error before anything is generated, so
    nothing is paid twice.

    Raises:
        SettingsError: No key, or a base URL that is no address. Nothing was sent.
    """

    provider: ClassVar[str]
    settings = ""
    reads_answers: ClassVar = True  # by evolver.answers.reading: nothing of them need be looked at again
    hottest: ClassVar[float] = math.inf
    sdk: ClassVar[Sdk]
    learns: ClassVar[Mapping[str, Any]]
    """How it learns which parameters the model takes; see :class:`Parameters`."""

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
        key: str | None = None,
    ) -> None:
        record = registry.registered(self.provider)
        assert record is not None
        assert record.key is not None
        self.name = f"{self.provider}:{name}"
        self._model = name
        self._parameters = Parameters(self.name, on_notice, **self.learns)
        self._reader = Reader(self.name, on_notice, lambda: (self.key,))
        address = address_of(record, base_url)
        self.key = key or read_key(record.key, base_url=address)
        self.wire = Wire(
            self.sdk, key=self.key, address=address or record.url, who=self.name, timeout=timeout
        )
        self.base_url = self.wire.url
        self._asked = Asked(self.wire.url, self.sdk.path, name, record.key, self.key != KEYLESS)

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; parameters the model refuses are adapted and the call sent again at once."""
        self._check(request.sampling)
        answer = await self._parameters.adapted(
            request.sampling,
            lambda sent: self.wire.post(self._whole(request, sent)),
            lambda error: (self.failure(error), self._refusal(error)),
            self.sdk.status,
        )
        return self.completion(answer)

    @abstractmethod
    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""

    async def aclose(self) -> None:
        """Close every connection."""
        await self.wire.aclose()

    def batched(self, request: Request) -> dict[str, object]:
        """Write a request as the model is known to take it."""
        self._check(request.sampling)
        return self._whole(request, self._parameters.batched(request.sampling))

    def _whole(self, request: Request, sampling: Mapping[str, Value]) -> dict[str, object]:
        """Write a request with what its user sends besides, as it stands."""
        return {**self._body(request, sampling), **(request.sampling.extra_body or {})}

    def _check(self, sampling: Sampling) -> None:
        """Stop the run for a temperature that the provider does not take from any model."""
        if sampling.temperature is not None and sampling.temperature > self.hottest:
            raise RunModelError(
                f"{self.name} takes temperatures from 0 to {self.hottest:g}, not {sampling.temperature:g}; nothing was "
                f"sent. Run the command again with --temperature {self.hottest:g} or less."
            )

    @abstractmethod
    def _body(self, request: Request, sampling: Mapping[str, Value]) -> dict[str, object]:
        """Write a request with these parameters."""

    @abstractmethod
    def completion(self, answer: dict[str, Any]) -> Completion:
        """Read a body as a completion, or raise what it means."""

    @abstractmethod
    def _said(self, error: Any) -> tuple[str, str | None]:
        """The provider's own words in an error of the SDK's, and its machine-readable code."""

    @abstractmethod
    def _refusal(self, error: Any) -> Refusal:
        """What an error of the SDK's says about parameters."""

    def failure(self, error: Any) -> ModelError:
        """Read an HTTP answer that is an error, as the SDK raises it."""
        said, code = self._said(error)
        return self._refused(error.status_code, said, code, error.response.headers)

    def _refused(self, status: int, said: str, code: str | None = None, headers: Any = None) -> ModelError:
        return from_status(
            status, said, who=self.name, code=code, headers=headers, secrets=(self.key,), asked=self._asked
        )

    def refused_in_batch(self, status: int, said: str, code: str | None, error: object) -> ModelError:
        """Read an error in a batch's results; one that teaches how to ask is worth the next batch."""
        failed = self._refused(status, said, code)
        if is_refusal(failed) and self._parameters.learn_later(read_refusal(error, code=code)):
            return TransientModelError(str(failed), "refused_parameter")
        return failed
