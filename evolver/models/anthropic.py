"""Anthropic's messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anthropic

from evolver.errors import ModelError, RunModelError
from evolver.models.failures import from_status, malformed, quote, redact
from evolver.models.keys import checked_base_url, read_key
from evolver.models.messages import of_content
from evolver.models.parameters import Parameters
from evolver.models.protocol import Completion, Request, Sampling
from evolver.models.reading import Reader
from evolver.models.refusals import Refusal, read_refusal
from evolver.models.sdk import SdkErrors, Wire, limits, timeouts
from evolver.text import mended

if TYPE_CHECKING:
    from evolver.models.batch.protocol import BatchApi

_MAX_TEMPERATURE = 1.0


class AnthropicModel:
    """A model behind Anthropic's messages API.

    The key is ``ANTHROPIC_API_KEY`` alone; with ``base_url`` it may be missing. ``timeout`` limits a whole call,
    in seconds. There is no frequency penalty here; it is not sent. Newer models refuse temperature and top-p
    together, some refuse either: the parameters that a refusal names are left out from then on, and
    ``on_notice`` is told once of each.

    Raises:
        SettingsError: No key, or a base URL that is no address. Nothing was sent.
    """

    provider = "anthropic"

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        timeout: float = 600.0,
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self.name = f"anthropic:{name}"
        self._model = name
        self._key = read_key("ANTHROPIC_API_KEY", base_url=base_url)
        self._parameters = Parameters(self.name, on_notice, without=("frequency_penalty",), guesses=True)
        self._reader = Reader(self.name, on_notice)
        http = anthropic.DefaultAioHttpClient(limits=limits())
        self._client = anthropic.AsyncAnthropic(
            api_key=self._key,
            base_url=checked_base_url(base_url),
            timeout=timeouts(timeout),
            max_retries=0,
            http_client=http,
        )
        self._wire = Wire(
            self._client,
            http,
            "/v1/messages",
            who=self.name,
            timeout=timeout,
            errors=SdkErrors(anthropic.APIStatusError, lambda body: body, anthropic.AnthropicError),
        )
        self.base_url = self._wire.url

    async def complete(self, request: Request) -> Completion:
        """Answer ``request``; parameters the model refuses are left out and the call sent again at once."""
        self._check(request.sampling)
        answer = await self._parameters.adapted(
            request.sampling,
            lambda sent: self._wire.post(self._body(request, sent)),
            self._refused,
            anthropic.APIStatusError,
        )
        return self._completion(answer)

    def batch_api(self) -> BatchApi:
        """Return the batch API of the same account and model, over the same connections."""
        from evolver.models.batch.anthropic import AnthropicBatches  # live runs do without

        return AnthropicBatches(
            self._client,
            who=self.name,
            wire=self._wire,
            body=self._batched,
            completion=self._completion,
            failure=self._failure,
            refused=lambda status, said, code: from_status(
                status, redact(quote(said), self._key), who=self.name, code=code
            ),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()

    def _check(self, sampling: Sampling) -> None:
        if sampling.temperature is not None and sampling.temperature > _MAX_TEMPERATURE:
            raise RunModelError(
                f"{self.name} takes temperatures from 0 to 1, not {sampling.temperature:g}; nothing was sent. "
                "Run the command again with --temperature 1 or less."
            )

    def _batched(self, request: Request) -> dict[str, object]:
        self._check(request.sampling)
        return self._body(request, self._parameters.of(request.sampling))

    def _body(self, request: Request, sampling: dict[str, float]) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": "user", "content": mended(request.prompt)}],
            **sampling,
        }
        if request.system is not None:
            body["system"] = mended(request.system)
        return body

    def _refused(self, error: Exception) -> tuple[ModelError, Refusal]:
        assert isinstance(error, anthropic.APIStatusError)
        return self._failure(error), read_refusal(error.body)

    def _failure(self, error: anthropic.APIStatusError) -> ModelError:
        said = error.api_message if isinstance(error.api_message, str) else error.message
        return from_status(
            error.status_code,
            redact(said, self._key),
            who=self.name,
            code=error.error_code or (error.type if isinstance(error.type, str) else None),
            headers=error.response.headers,
        )

    def _completion(self, answer: dict[str, Any]) -> Completion:
        content = answer.get("content")
        if not isinstance(content, list):
            raise malformed("a body without content", who=self.name)
        reason = answer.get("stop_reason")
        said = of_content(content)
        refusal = (said.text or _explanation(answer)) if reason == "refusal" else None
        return self._reader.completion(said, reason, answer.get("usage"), refusal=refusal)


def _explanation(answer: dict[str, Any]) -> str:
    details = answer.get("stop_details")
    said = details.get("explanation") if isinstance(details, dict) else None
    return mended(said) if isinstance(said, str) and said else "refused without a word"
